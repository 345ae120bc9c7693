package profile

import "testing"

func TestBuiltinProfilesLoad(t *testing.T) {
	fs, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	if len(fs) != 8 {
		t.Errorf("%d profiles, want 8", len(fs))
	}
}

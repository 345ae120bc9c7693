package profile

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"

	"daozhang/parsers"
)

//go:embed vendors/*.yaml
var vendors embed.FS

// Builtin loads the profiles that ship with the program, ordered by name. A profile's file is named after it.
func Builtin() ([]parsers.Format, error) {
	files, err := vendors.ReadDir("vendors")
	if err != nil {
		return nil, err
	}
	var out []parsers.Format
	for _, f := range files {
		src, err := vendors.ReadFile(path.Join("vendors", f.Name()))
		if err != nil {
			return nil, err
		}
		p, err := Load(f.Name(), src)
		if err != nil {
			return nil, err
		}
		if p.info.Name != strings.TrimSuffix(f.Name(), ".yaml") {
			return nil, fmt.Errorf("profile %s is named %s; name file and profile alike", f.Name(), p.info.Name)
		}
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b parsers.Format) int { return strings.Compare(a.Info().Name, b.Info().Name) })
	return out, nil
}

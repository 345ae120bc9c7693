//go:build !unix

package disk

import (
	"errors"
	"os"
)

func (f systemFile) TryLock() (bool, error) {
	return false, &os.PathError{Op: "lock", Path: f.Name(), Err: errors.ErrUnsupported}
}

// Package all lists every format that ships with the program. A structural format is one line here; a profile is
// found by its file.
package all

import (
	"daozhang/parsers"
	"daozhang/parsers/profile"
	"daozhang/parsers/unionpay"
)

// All is the registry of the built-in formats.
func All() (*parsers.Registry, error) { return With() }

// With is the registry of the built-in formats and of the user's own. A user's format of a built-in name is an error.
func With(user ...parsers.Format) (*parsers.Registry, error) {
	formats, err := profile.Builtin()
	if err != nil {
		return nil, err
	}
	formats = append(formats, unionpay.RD2010{})
	return parsers.NewRegistry(append(formats, user...)...)
}

package parsers

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// HeadSize is how many bytes of a file a format may look at when it is asked to claim it.
const HeadSize = 64 << 10

// Registry is a set of formats with distinct names.
type Registry struct {
	formats []Format
	byName  map[string]Format
}

// NewRegistry builds a registry. Two formats of one name are an error.
func NewRegistry(formats ...Format) (*Registry, error) {
	r := &Registry{byName: make(map[string]Format, len(formats))}
	for _, f := range formats {
		n := f.Info().Name
		if r.byName[n] != nil {
			return nil, fmt.Errorf("two formats are named %s", n)
		}
		r.byName[n] = f
		r.formats = append(r.formats, f)
	}
	slices.SortFunc(r.formats, func(a, b Format) int { return strings.Compare(a.Info().Name, b.Info().Name) })
	return r, nil
}

// Formats lists all formats by name.
func (r *Registry) Formats() []Format { return slices.Clone(r.formats) }

// Lookup finds a format by name.
func (r *Registry) Lookup(name string) (Format, bool) { f, ok := r.byName[name]; return f, ok }

// Detect asks the formats named, or all if none are named, and demands exactly one claimant. A *[ClaimError] names
// the candidates, or why each of the asked formats refused.
func (r *Registry) Detect(src Source, names ...string) (Format, error) {
	head, err := ReadHead(src)
	if err != nil {
		return nil, err
	}
	asked := r.formats
	if len(names) > 0 {
		asked = nil
		for _, n := range names {
			f, ok := r.byName[n]
			if !ok {
				return nil, fmt.Errorf("no format is named %q; `daozhang formats` lists them", n)
			}
			asked = append(asked, f)
		}
	}
	ce := &ClaimError{File: src.Name, Named: len(names) > 0}
	var found Format
	for _, f := range asked {
		if why := f.Claim(head); why != nil {
			ce.Refusals = append(ce.Refusals, f.Info().Name+": "+why.Error())
			continue
		}
		found = f
		ce.Claimants = append(ce.Claimants, f.Info().Name)
	}
	if len(ce.Claimants) == 1 {
		return found, nil
	}
	return nil, ce
}

// ReadHead reads what formats may look at.
func ReadHead(src Source) (Head, error) {
	buf := make([]byte, min(src.Size, HeadSize))
	n, err := src.Data.ReadAt(buf, 0)
	if err != nil && err != io.EOF {
		return Head{}, fmt.Errorf("%s: %w", src.Name, err)
	}
	return Head{Name: src.Name, Bytes: buf[:n], Size: src.Size}, nil
}

// ClaimError says that no format, or more than one, claims a file.
type ClaimError struct {
	File      string
	Named     bool     // only named formats were asked
	Claimants []string // more than one, or none
	Refusals  []string // "format: why not"
}

// Error names the candidates, or the reasons where the asked formats were named.
func (e *ClaimError) Error() string {
	if len(e.Claimants) > 1 {
		return fmt.Sprintf("%s: several formats claim this file: %s; choose one with --format",
			e.File, strings.Join(e.Claimants, ", "))
	}
	if e.Named {
		return fmt.Sprintf("%s: not of the configured format (%s)", e.File, strings.Join(e.Refusals, "; "))
	}
	return fmt.Sprintf("%s: no format claims this file; `daozhang formats` lists what is known, --format NAME shows why one refuses it", e.File)
}

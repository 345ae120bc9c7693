package config

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Digest is the SHA-256, in hexadecimal, of the effective settings: defaults filled in, comments, order of keys and
// order of sources gone, paths as seen from the configuration's folder, so that a moved installation keeps its digest.
func (c *Config) Digest() (string, error) {
	k := *c
	k.File = ""
	rel := func(p string) string { return c.relative(p) }
	k.State, k.Reports, k.Register, k.Calendars = rel(c.State), rel(c.Reports), rel(c.Register), rel(c.Calendars)
	k.Profiles = each(c.Profiles, rel)
	k.Servers = slices.Clone(c.Servers)
	for i := range k.Servers {
		s := &k.Servers[i]
		s.Keys, s.KnownHosts = each(s.Keys, rel), each(s.KnownHosts, rel)
		s.Password, s.Passphrase = rel(s.Password), rel(s.Passphrase)
	}
	k.Sources = slices.Clone(c.Sources)
	for i := range k.Sources {
		k.Sources[i].Folder = rel(k.Sources[i].Folder)
	}
	slices.SortFunc(k.Sources, func(a, b Source) int { return cmp.Compare(a.Name, b.Name) })
	data, err := json.Marshal(k)
	if err != nil {
		return "", fmt.Errorf("digest of the configuration: %w", err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

// relative shortens a path, or a file: reference to a secret, to what lies below the configuration's folder.
func (c *Config) relative(p string) string {
	path, isFile := strings.CutPrefix(p, "file:")
	if !isFile && strings.Contains(p, ":") || path == "" {
		return p
	}
	r, err := filepath.Rel(filepath.Dir(c.File), path)
	if err != nil {
		return p
	}
	r = filepath.ToSlash(r)
	if isFile {
		return "file:" + r
	}
	return r
}

func each(list []string, f func(string) string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = f(s)
	}
	return out
}

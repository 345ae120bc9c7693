package main

import (
	"os"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// placesOf finds where a value stands in a configuration that was read before.
type placesOf struct{ file *ast.File }

func placesIn(path string) placesOf {
	data, err := os.ReadFile(path)
	if err != nil {
		return placesOf{}
	}
	f, err := parser.ParseBytes(data, 0)
	if err != nil {
		return placesOf{}
	}
	return placesOf{f}
}

// of returns line and column of a path such as $.servers.ums.keys[0], or of the nearest thing around it; zeros where
// the file does not say it at all.
func (p placesOf) of(path string) (line, column int) {
	for p.file != nil && path != "$" && path != "" {
		if at, err := yaml.PathString(path); err == nil {
			if n, err := at.FilterFile(p.file); err == nil && n != nil && n.GetToken() != nil {
				pos := n.GetToken().Position
				return pos.Line, pos.Column
			}
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return 0, 0
}

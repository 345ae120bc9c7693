package profile

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxProfile bounds a profile's size in bytes.
const maxProfile = 1 << 20

// document is a profile's YAML with positions, for errors that point at a line.
type document struct {
	name  string
	lines []string
	root  ast.Node
}

// decode reads exactly one mapping into v. Beyond goccy's strict mode it refuses unquoted numbers, booleans and
// nulls where a text is meant: 0123 would silently become "83". Anchors, aliases and tags are refused too: a profile
// is a table.
func decode(name string, src []byte, v *spec) (*document, error) {
	if len(src) > maxProfile {
		return nil, fmt.Errorf("profile %s: larger than %d bytes", name, maxProfile)
	}
	d := &document{name: name, lines: strings.Split(string(src), "\n")}
	file, err := parser.ParseBytes(src, 0)
	if err != nil {
		return nil, fmt.Errorf("profile %s: %w", name, err)
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return nil, fmt.Errorf("profile %s: want exactly one YAML document", name)
	}
	d.root = file.Docs[0].Body
	if err := d.check(d.root, reflect.TypeOf(*v)); err != nil {
		return nil, err
	}
	if err := yaml.NodeToValue(d.root, v, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("profile %s: %w", name, err)
	}
	return d, nil
}

// check walks the document beside the type that it will be decoded into.
func (d *document) check(n ast.Node, t reflect.Type) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch n := n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode, *ast.MergeKeyNode:
		return d.at(n.GetToken(), "anchors, aliases and tags are not part of profiles")
	case *ast.MappingNode:
		for _, kv := range n.Values {
			if err := d.checkPair(kv, t); err != nil {
				return err
			}
		}
		return nil
	case *ast.MappingValueNode:
		return d.checkPair(n, t)
	case *ast.SequenceNode:
		if t.Kind() != reflect.Slice {
			return nil // the decoder names the mismatch
		}
		for _, item := range n.Values {
			if err := d.check(item, t.Elem()); err != nil {
				return err
			}
		}
		return nil
	case *ast.StringNode, *ast.LiteralNode:
		return nil
	}
	if t.Kind() == reflect.String {
		return d.at(n.GetToken(), fmt.Sprintf("%s must be quoted to be a text", n.GetToken().Value))
	}
	return nil
}

func (d *document) checkPair(kv *ast.MappingValueNode, t reflect.Type) error {
	switch t.Kind() {
	case reflect.Map:
		if err := d.check(kv.Key, t.Key()); err != nil {
			return err
		}
		return d.check(kv.Value, t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); f.Tag.Get("yaml") == kv.Key.GetToken().Value {
				return d.check(kv.Value, f.Type)
			}
		}
	}
	return nil // an unknown key: the strict decoder names it
}

// at makes an error that points into the profile.
func (d *document) at(t *token.Token, msg string) error {
	if t == nil || t.Position == nil {
		return fmt.Errorf("profile %s: %s", d.name, msg)
	}
	p := t.Position
	line := ""
	if p.Line >= 1 && p.Line <= len(d.lines) {
		line = "\n  " + strings.TrimRight(d.lines[p.Line-1], "\r")
	}
	return fmt.Errorf("profile %s:%d:%d: %s%s", d.name, p.Line, p.Column, msg, line)
}

// fail makes an error about the value at the path of mapping keys and sequence indexes.
func (d *document) fail(msg string, path ...any) error {
	n, tok := d.root, d.root.GetToken()
	for _, step := range path {
		next := child(n, step)
		if next == nil {
			break
		}
		n, tok = next, next.GetToken()
	}
	return d.at(tok, msg)
}

func child(n ast.Node, step any) ast.Node {
	switch step := step.(type) {
	case string:
		var pairs []*ast.MappingValueNode
		switch n := n.(type) {
		case *ast.MappingNode:
			pairs = n.Values
		case *ast.MappingValueNode:
			pairs = []*ast.MappingValueNode{n}
		}
		for _, kv := range pairs {
			if kv.Key.GetToken().Value == step {
				return kv.Value
			}
		}
	case int:
		if s, ok := n.(*ast.SequenceNode); ok && step < len(s.Values) {
			return s.Values[step]
		}
	}
	return nil
}

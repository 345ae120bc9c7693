// Package lint holds the house rules that a program can check, as tests: who may import whom, what code may not do,
// and that the pages under docs/ say what the code does. It has no code of its own.
package lint

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "daozhang"

// root is the repository's folder, as seen from this package.
var root = filepath.Join("..", "..", "..")

// pkg is what `go list` says about one of our packages.
type pkg struct {
	ImportPath                string
	Dir                       string
	Imports                   []string
	TestImports, XTestImports []string
	GoFiles, IgnoredGoFiles   []string
	TestGoFiles, XTestGoFiles []string
}

// name is the path below the module; "" for the module itself.
func (p *pkg) name() string {
	return strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
}

// packages lists all packages of the module.
func packages(t *testing.T) []pkg {
	t.Helper()
	var out []pkg
	dec := json.NewDecoder(bytes.NewReader(goList(t, "-json", "./...")))
	for {
		var p pkg
		if err := dec.Decode(&p); err == io.EOF {
			return out
		} else if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
}

func goList(t *testing.T, args ...string) []byte {
	t.Helper()
	c := exec.Command("go", append([]string{"list"}, args...)...)
	c.Dir = root
	var stderr bytes.Buffer
	c.Stderr = &stderr
	text, err := c.Output()
	if err != nil {
		t.Fatalf("go list %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return text
}

// source is one parsed file of ours.
type source struct {
	path string // from the repository's folder, with slashes
	pkg  string // package path below the module
	test bool
	fset *token.FileSet
	file *ast.File
}

func (s *source) line(p token.Pos) int { return s.fset.Position(p).Line }

// importName is the name under which the file imports a package; "" where it does not.
func (s *source) importName(path string) string {
	for _, i := range s.file.Imports {
		if strings.Trim(i.Path.Value, `"`) != path {
			continue
		}
		if i.Name != nil {
			return i.Name.Name
		}
		base := path[strings.LastIndexByte(path, '/')+1:]
		if len(base) > 1 && base[0] == 'v' && strings.Trim(base[1:], "0123456789") == "" { // math/rand/v2
			path = strings.TrimSuffix(path, "/"+base)
			base = path[strings.LastIndexByte(path, '/')+1:]
		}
		return base
	}
	return ""
}

// sources parses every Go file of the module, also those for other systems.
func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	for _, path := range files(t) {
		if !strings.HasSuffix(path, ".go") {
			continue
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, filepath.Join(root, filepath.FromSlash(path)), nil, parser.ParseComments)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		dir := ""
		if i := strings.LastIndexByte(path, '/'); i >= 0 {
			dir = path[:i]
		}
		out = append(out, source{path, dir, strings.HasSuffix(path, "_test.go"), fset, f})
	}
	return out
}

// files lists the files of the repository with slashes, without what git and builds keep.
func files(t *testing.T) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			_, err := os.Stat(filepath.Join(path, ".daozhang-demo")) // what `daozhang demo` has made
			if err == nil || slices.Contains([]string{".git", "dist", "demo-out"}, rel) {
				return filepath.SkipDir
			}
		}
		if d.Type().IsRegular() {
			out = append(out, filepath.ToSlash(rel))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// allowance is one place where a rule does not hold, and why.
type allowance struct{ where, why string }

// allowed finds the allowance of a place and marks it as used.
func allowed(list []allowance, used map[string]bool, where string) bool {
	for _, a := range list {
		if a.where == where {
			used[where] = true
			return true
		}
	}
	return false
}

// stale reports allowances that nothing needs any more, and ones without a reason.
func stale(t *testing.T, list []allowance, used map[string]bool) {
	t.Helper()
	for _, a := range list {
		if !used[a.where] {
			t.Errorf("the allowance for %s is not needed any more; remove it", a.where)
		}
		if a.why == "" {
			t.Errorf("the allowance for %s has no reason", a.where)
		}
	}
}

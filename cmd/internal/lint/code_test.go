package lint

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

func TestNoInitFunctions(t *testing.T) {
	for _, s := range sources(t) {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s:%d: init function; pass the list or value to who needs it", s.path, s.line(f.Pos()))
			}
		}
	}
}

// changing are package variables that code may assign.
var changing = []allowance{}

func TestPackageVariablesNeverChange(t *testing.T) {
	byPkg := map[string]map[string]bool{}
	all := sources(t)
	for _, s := range all {
		if byPkg[s.pkg] == nil {
			byPkg[s.pkg] = map[string]bool{}
		}
		for _, d := range s.file.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR || s.test {
				continue
			}
			for _, spec := range g.Specs {
				for _, n := range spec.(*ast.ValueSpec).Names {
					byPkg[s.pkg][n.Name] = true
				}
			}
		}
	}
	used := map[string]bool{}
	for _, s := range all {
		if s.test {
			continue
		}
		assigned(&s, func(e ast.Expr) {
			name := packageVariable(&s, byPkg[s.pkg], e)
			if name != "" && !allowed(changing, used, s.pkg+"."+name) {
				t.Errorf("%s:%d: assigns the package variable %s; pass it in, or keep it in a struct", s.path, s.line(e.Pos()), name)
			}
		})
	}
	stale(t, changing, used)
}

// assigned visits everything that a file's functions assign to, count up, delete from or clear.
func assigned(s *source, visit func(ast.Expr)) {
	for _, d := range s.file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Body == nil {
			continue
		}
		ast.Inspect(f.Body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				if n.Tok != token.DEFINE {
					for _, e := range n.Lhs {
						visit(e)
					}
				}
			case *ast.IncDecStmt:
				visit(n.X)
			case *ast.CallExpr:
				if id, ok := n.Fun.(*ast.Ident); ok && (id.Name == "delete" || id.Name == "clear") && len(n.Args) > 0 {
					visit(n.Args[0])
				}
			}
			return true
		})
	}
}

// packageVariable is the package variable at the root of what is assigned, ours or another package's; else "".
func packageVariable(s *source, own map[string]bool, e ast.Expr) string {
	for {
		switch x := e.(type) {
		case *ast.ParenExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.SelectorExpr:
			if id, ok := x.X.(*ast.Ident); ok && id.Obj == nil && !own[id.Name] {
				for _, i := range s.file.Imports {
					if s.importName(strings.Trim(i.Path.Value, `"`)) == id.Name {
						return id.Name + "." + x.Sel.Name
					}
				}
			}
			e = x.X
		case *ast.Ident:
			if !own[x.Name] || x.Name == "_" {
				return ""
			}
			if x.Obj != nil { // resolved within the file: is it the package's, or a local one of that name?
				spec, ok := x.Obj.Decl.(*ast.ValueSpec)
				if !ok || !topLevel(s.file, spec) {
					return ""
				}
			}
			return x.Name
		default:
			return ""
		}
	}
}

func topLevel(f *ast.File, spec *ast.ValueSpec) bool {
	return slices.ContainsFunc(f.Decls, func(d ast.Decl) bool {
		g, ok := d.(*ast.GenDecl)
		return ok && slices.ContainsFunc(g.Specs, func(s ast.Spec) bool { return s == ast.Spec(spec) })
	})
}

// ambient are the calls that reach for the world outside of what was passed in, with their route.
var ambient = map[string]string{
	"time.Now":     "take the clock from the caller: a run has one instant, as_of",
	"time.Since":   "take the clock from the caller",
	"time.Until":   "take the clock from the caller",
	"os.Exit":      "return an error; exit codes are made in cmd/daozhang/exit.go",
	"os.Getenv":    "take the setting from the caller",
	"os.LookupEnv": "take the setting from the caller",
	"log.Fatal":    "return an error",
	"log.Fatalf":   "return an error",
	"log.Fatalln":  "return an error",
	"log.Panic":    "return an error",
	"log.Panicf":   "return an error",
	"panic":        "return an error: input may be anything",
	"rand.Int":     "use a seeded source",
	"rand.IntN":    "use a seeded source",
	"rand.Intn":    "use a seeded source",
	"rand.Float64": "use a seeded source",
	"rand.Shuffle": "use a seeded source",
}

// reaching are the places that may, by file and call.
var reaching = []allowance{
	{"cmd/daozhang/main.go time.Now", "the one clock; it is passed on from here"},
	{"cmd/daozhang/main.go os.Exit", "the one exit"},
	{"cmd/daozhang/main.go os.Getenv", "the one environment; it is passed on from here"},
	{"fixtures/gen/main.go os.Exit", "the generator's own main function"},
	{"cmd/internal/fetch/fetch.go time.Now", "what a nil Fetcher.Now stands for; the pipeline always sets it"},
	{"cmd/internal/fetch/sftp.go time.Now", "the deadline of a live connection is real time, whatever as_of says"},
	{"cmd/internal/fetch/sftpfile.go time.Until", "the same deadline"},
	{"cmd/internal/fetch/watch.go time.Now", "a stalled connection is told by real time, whatever as_of says"},
	{"cmd/internal/fetch/secret.go os.LookupEnv", "env: references name a variable"},
	{"cmd/internal/fetch/secret.go os.Getenv", "systemd says by CREDENTIALS_DIRECTORY where cred: references are"},
}

func TestClockExitAndRandomnessArePassedIn(t *testing.T) {
	used := map[string]bool{}
	for _, s := range sources(t) {
		// Tests, what is made for them (parsertest, sshdtest), and tools that measure the program from outside.
		if s.test || strings.HasSuffix(s.pkg, "test") || strings.HasPrefix(s.pkg, "scripts") {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			what := ""
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if id, ok := n.X.(*ast.Ident); ok && id.Obj == nil {
					what = id.Name + "." + n.Sel.Name
				}
			case *ast.CallExpr:
				if id, ok := n.Fun.(*ast.Ident); ok && id.Name == "panic" {
					what = "panic"
				}
			}
			if hint := ambient[what]; hint != "" && !allowed(reaching, used, s.path+" "+what) {
				t.Errorf("%s:%d: %s; %s", s.path, s.line(n.Pos()), what, hint)
			}
			return true
		})
	}
	stale(t, reaching, used)
}

// maxLines is what a file may have; above about 400 look hard.
const maxLines = 600

func TestNoFileIsTooLong(t *testing.T) {
	for _, s := range sources(t) {
		if n := strings.Count(read(t, s.path), "\n"); n > maxLines {
			t.Errorf("%s has %d lines, more than %d; split it by what changes together", s.path, n, maxLines)
		}
	}
}

// floats are the files that may use floating point. None of them computes money.
var floats = []allowance{
	{"cmd/daozhang/demo.go", "how large the generated chain is"},
	{"reports/cell.go", "a number in a workbook is a double by the file format; amounts of more than 15 digits are written as text, and exceptions.csv has them exactly"},
	{"reports/sheet.go", "widths and heights of cells"},
	{"reports/table.go", "widths of columns"},
	{"reports/style.go", "sizes of fonts"},
	{"reports/sheet_control.go", "widths of columns"},
	{"reports/sheet_summary.go", "widths and heights of cells"},
	{"reports/sheet_summary_cases.go", "widths of cells"},
}

func TestMoneyIsNeverAFloat(t *testing.T) {
	used := map[string]bool{}
	for _, s := range sources(t) {
		if s.test || !slices.ContainsFunc([]string{"parsers", "reconcile", "reports", "cmd"}, func(p string) bool { return strings.HasPrefix(s.pkg+"/", p+"/") }) {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			what := ""
			switch n := n.(type) {
			case *ast.Ident:
				if n.Name == "float64" || n.Name == "float32" || n.Name == "ParseFloat" || n.Name == "FormatFloat" {
					what = n.Name
				}
			case *ast.BasicLit:
				if n.Kind == token.FLOAT {
					what = fmt.Sprintf("the literal %s", n.Value)
				}
			}
			if what != "" && !allowed(floats, used, s.path) {
				t.Errorf("%s:%d: %s; money is int64 minor units or txn.Fine, shares are counted in a fixed unit", s.path, s.line(n.Pos()), what)
			}
			return true
		})
	}
	stale(t, floats, used)
}

func TestPackageNamesSayWhatIsInside(t *testing.T) {
	for _, p := range packages(t) {
		base := p.name()[strings.LastIndexByte(p.name(), '/')+1:]
		if slices.Contains([]string{"util", "utils", "common", "helpers", "misc", "models", "types"}, base) {
			t.Errorf("package %s: name it after what changes together", p.name())
		}
	}
}

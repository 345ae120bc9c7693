package lint

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/token"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"daozhang/cmd/internal/config"
	"daozhang/parsers"
	"daozhang/parsers/all"
	"daozhang/parsers/parsertest"
	"daozhang/parsers/profile"
	"daozhang/reconcile"
	"daozhang/reconcile/register"
	"daozhang/reports"
	"daozhang/reports/text"
)

// blocks are the fenced blocks of a page that are marked with the word, e.g. yaml.
func blocks(page, word string) []string {
	var out []string
	for _, m := range regexp.MustCompile("(?ms)^```"+regexp.QuoteMeta(word)+"\n(.*?)^```$").FindAllStringSubmatch(page, -1) {
		out = append(out, m[1])
	}
	return out
}

// cells are the first columns of the rows of tables below a heading, without back quotes. Header rows are left out.
func cells(page, heading string) []string {
	_, rest, ok := strings.Cut(page, "\n"+heading+"\n")
	if !ok {
		return nil
	}
	if end := strings.Index(rest, "\n#"); end >= 0 {
		rest = rest[:end]
	}
	var out []string
	header := true
	for _, line := range strings.Split(rest, "\n") {
		if !strings.HasPrefix(line, "|") {
			header = true
			continue
		}
		first := strings.TrimSpace(strings.Split(line, "|")[1])
		if header || strings.Trim(first, "-: ") == "" {
			header = false
			continue
		}
		out = append(out, strings.Trim(first, "`"))
	}
	return out
}

func sameSet(t *testing.T, where string, got, want []string) {
	t.Helper()
	for _, g := range got {
		if !slices.Contains(want, g) {
			t.Errorf("%s: %q is said but not so", where, g)
		}
	}
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("%s: %q is not said", where, w)
		}
	}
	sorted := slices.Sorted(slices.Values(got))
	if len(slices.Compact(sorted)) != len(got) {
		t.Errorf("%s: something is said twice: %v", where, got)
	}
}

var readmes = []struct{ file, config, register, exit, commands string }{
	{"README.md", "## Configuration", "## The register", "## Exit codes", "## Commands"},
	{"README.zh-CN.md", "## 配置", "## 登记表", "## 退出码", "## 命令"},
}

func TestConfigurationOfTheReadmeIsSound(t *testing.T) {
	for _, r := range readmes {
		found := blocks(read(t, r.file), "yaml")
		if len(found) == 0 {
			t.Fatalf("%s: no yaml block", r.file)
		}
		c, problems := config.Parse("/etc/daozhang/daozhang.yaml", []byte(found[0]))
		if len(problems) > 0 {
			t.Fatalf("%s: the configuration has problems:\n%v", r.file, problems)
		}
		reg, err := all.All()
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, f := range reg.Formats() {
			names = append(names, f.Info().Name)
		}
		if ps := c.Check(config.Checks{Formats: names, Register: readmeRegister(t, r.file)}); len(ps) > 0 {
			t.Errorf("%s: configuration and register do not fit:\n%v", r.file, ps)
		}
	}
}

// readmeRegister loads the register of a README: csv blocks whose first line is `# name.csv`.
func readmeRegister(t *testing.T, file string) *register.Register {
	t.Helper()
	dir := t.TempDir()
	for _, b := range blocks(read(t, file), "csv") {
		first, rest, _ := strings.Cut(b, "\n")
		name, ok := strings.CutPrefix(first, "# ")
		if !ok {
			t.Fatalf("%s: a csv block must begin with # and a file name", file)
		}
		if err := os.WriteFile(filepath.Join(dir, path.Base(name)), []byte(rest), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	reg, problems := config.LoadRegister(dir)
	if len(problems) > 0 {
		t.Fatalf("%s: the register has problems:\n%v", file, problems)
	}
	return reg
}

func TestBothReadmesShowTheSameExamples(t *testing.T) {
	comments := regexp.MustCompile(`(?m)\s+#.*$`)
	for _, word := range []string{"yaml", "csv"} {
		a, b := blocks(read(t, readmes[0].file), word), blocks(read(t, readmes[1].file), word)
		if len(a) != len(b) {
			t.Fatalf("%d and %d %s blocks", len(a), len(b), word)
		}
		for i := range a {
			if comments.ReplaceAllString(a[i], "") != comments.ReplaceAllString(b[i], "") {
				t.Errorf("%s block %d differs in more than its comments", word, i+1)
			}
		}
	}
}

// exitCodes reads the constants of cmd/daozhang/exit.go.
func exitCodes(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, s := range sources(t) {
		if s.path != "cmd/daozhang/exit.go" {
			continue
		}
		for _, d := range s.file.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST {
				continue
			}
			for _, spec := range g.Specs {
				v := spec.(*ast.ValueSpec)
				if lit, ok := v.Values[0].(*ast.BasicLit); ok && strings.HasPrefix(v.Names[0].Name, "exit") && !slices.Contains(out, lit.Value) {
					out = append(out, lit.Value)
				}
			}
		}
	}
	if len(out) < 5 {
		t.Fatalf("only %d exit codes found in cmd/daozhang/exit.go", len(out))
	}
	return out
}

func TestExitCodesAreSaidAsTheyAre(t *testing.T) {
	want := exitCodes(t)
	for _, r := range readmes {
		sameSet(t, r.file, cells(read(t, r.file), r.exit), want)
	}
	sameSet(t, "docs/contracts.md", cells(read(t, "docs/contracts.md"), "## Exit codes"), want)
}

func TestCommandsAreSaidAsTheyAre(t *testing.T) {
	var want []string
	for _, s := range sources(t) {
		if s.pkg != "cmd/daozhang" || s.test {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			kv, ok := n.(*ast.KeyValueExpr)
			if !ok {
				return true
			}
			key, ok := kv.Key.(*ast.Ident)
			lit, isText := kv.Value.(*ast.BasicLit)
			if ok && isText && key.Name == "Use" {
				if name := strings.Fields(strings.Trim(lit.Value, "`\""))[0]; name != module {
					want = append(want, name)
				}
			}
			return true
		})
	}
	for _, r := range readmes {
		sameSet(t, r.file, cells(read(t, r.file), r.commands), want)
	}
}

var classHead = regexp.MustCompile(`(?m)^### ([A-Z][0-9]{2}) (.+) · (.+) · severity ([0-4]) · (.+)$`)

func TestEveryClassIsDescribedAsItIs(t *testing.T) {
	page := read(t, "docs/exceptions.md")
	var got, want []string
	for _, m := range classHead.FindAllStringSubmatch(page, -1) {
		got = append(got, strings.Join(m[1:], " / "))
	}
	for _, i := range reconcile.Classes() {
		owner := string(i.Owner)
		if owner == "" {
			owner = "nobody"
		}
		want = append(want, fmt.Sprintf("%s / %s / %s / %d / %s", i.Class, text.ClassName(i.Class, text.En), text.ClassName(i.Class, text.ZhCN), i.Severity, owner))
	}
	sameSet(t, "docs/exceptions.md", got, want)
	if !slices.Equal(got, want) && len(got) == len(want) {
		t.Error("docs/exceptions.md: the classes do not stand in the order of reports")
	}
	if n := strings.Count(page, "\n### "); n != len(want) {
		t.Errorf("docs/exceptions.md: %d headings of classes, want %d", n, len(want))
	}
}

func TestEveryFormatIsDescribed(t *testing.T) {
	reg, err := all.All()
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, f := range reg.Formats() {
		want = append(want, f.Info().Name)
	}
	var got []string
	for _, m := range regexp.MustCompile("(?m)^## `([a-z0-9_]+)`").FindAllStringSubmatch(read(t, "docs/formats.md"), -1) {
		got = append(got, m[1])
	}
	sameSet(t, "docs/formats.md", got, want)
}

// TestEveryDependencyHasItsReason compares docs/dependencies.md with what our packages and tests import: each module
// that we import ourselves stands there, and nothing stands there that go.mod does not require.
func TestEveryDependencyHasItsReason(t *testing.T) {
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	gomod := read(t, "go.mod")
	for _, m := range regexp.MustCompile(`(?m)^\s*(?:require )?([a-z0-9.-]+\.[a-z]+/\S+|[a-z0-9-]+\.org/\S+) v\S+(.*)$`).FindAllStringSubmatch(gomod, -1) {
		mod.Require = append(mod.Require, struct {
			Path     string
			Indirect bool
		}{m[1], strings.Contains(m[2], "// indirect")})
	}
	owner := func(pkg string) string {
		best := ""
		for _, r := range mod.Require {
			if (pkg == r.Path || strings.HasPrefix(pkg, r.Path+"/")) && len(r.Path) > len(best) {
				best = r.Path
			}
		}
		return best
	}
	direct := map[string]bool{}
	for _, p := range packages(t) {
		for _, i := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			if m := owner(i); m != "" {
				direct[m] = true
			}
		}
	}
	// Files for other systems import too.
	for _, s := range sources(t) {
		for _, i := range s.file.Imports {
			if m := owner(strings.Trim(i.Path.Value, `"`)); m != "" {
				direct[m] = true
			}
		}
	}
	page := cells(read(t, "docs/dependencies.md"), "## Modules")
	for m := range direct {
		if !slices.Contains(page, m) {
			t.Errorf("docs/dependencies.md: %s is imported but has no line; say why it is there and what its trap is", m)
		}
	}
	for _, m := range page {
		at := slices.IndexFunc(mod.Require, func(r struct {
			Path     string
			Indirect bool
		}) bool {
			return r.Path == m
		})
		if at < 0 {
			t.Errorf("docs/dependencies.md: %s is not in go.mod", m)
		} else if !direct[m] {
			t.Errorf("docs/dependencies.md: nothing of ours imports %s; remove its line", m)
		}
	}
	for _, r := range mod.Require {
		if !r.Indirect && !direct[r.Path] {
			t.Errorf("go.mod: %s is required directly, but nothing of ours imports it", r.Path)
		}
	}
}

func TestColumnsAndKeysAreSaidAsTheyAre(t *testing.T) {
	page := read(t, "docs/contracts.md")
	var csv strings.Builder
	book := &reports.Book{Entity: "x", Date: 20000, Revision: 1, Outcome: &reconcile.Outcome{Lines: make([]reconcile.Line, 1)}}
	if err := reports.WriteExceptions(&csv, book); err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(csv.String(), "\n")
	var said []string
	for _, c := range cells(page, "## exceptions.csv") {
		said = append(said, strings.Split(strings.ReplaceAll(c, "`", ""), ", ")...)
	}
	if !slices.Equal(said, strings.Split(head, ",")) {
		t.Errorf("docs/contracts.md: the columns of exceptions.csv are\n%v, not\n%v", strings.Split(head, ","), said)
	}
	var sum strings.Builder
	if err := reports.WriteSummary(&sum, book); err != nil {
		t.Fatal(err)
	}
	var keys []string
	dec := json.NewDecoder(strings.NewReader(sum.String()))
	for depth := 0; ; {
		tok, err := dec.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch v := tok.(type) {
		case json.Delim:
			if v == '{' || v == '[' {
				depth++
			} else {
				depth--
			}
		case string:
			if depth == 1 && strings.Contains(sum.String(), "\n  \""+v+"\": ") {
				keys = append(keys, v)
			}
		}
	}
	sameSet(t, "docs/contracts.md, summary.json", cells(page, "## summary.json"), keys)
}

// TestTheWorkedExampleWorks loads the profile of docs/adding-a-format.md, reads its sample and compares the golden.
func TestTheWorkedExampleWorks(t *testing.T) {
	page := read(t, "docs/adding-a-format.md")
	profiles, samples, goldens := blocks(page, "yaml"), blocks(page, "csv"), blocks(page, "golden")
	if len(profiles) == 0 || len(samples) == 0 || len(goldens) == 0 {
		t.Fatal("docs/adding-a-format.md: needs a yaml, a csv and a golden block")
	}
	p, err := profile.Load("acme_daily.yaml", []byte(profiles[0]))
	if err != nil {
		t.Fatal(err)
	}
	s := parsertest.Sample{Name: "day.csv", Data: []byte(samples[0])}
	if got := parsertest.Dump(p, s.Source()); got != goldens[0] {
		t.Errorf("docs/adding-a-format.md: the golden is\n%s", got)
	}
	reg, err := all.With(p)
	if err != nil {
		t.Fatal(err)
	}
	if f, err := reg.Detect(s.Source()); err != nil || f != parsers.Format(p) {
		t.Errorf("the sample is not claimed by its profile alone: %v", err)
	}
	parsertest.Run(t, p, []parsertest.Sample{s})
}

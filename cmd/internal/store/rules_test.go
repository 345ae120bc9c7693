package store

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// dialectFiles are the only files that may know words of one database.
var dialectFiles = []string{"sqlite.go", "postgres.go"}

// unportable are words that only one of the two databases understands, or that they understand differently.
var unportable = regexp.MustCompile(`(?i)\b(pragma|autoincrement|replace\s+into|insert\s+or|glob|rowid|ifnull|strftime|julianday|` +
	`attach|vacuum|group_concat|sqlite_\w+|strict|without\s+rowid|` +
	`ilike|returning|string_agg|serial|bigserial|jsonb?|json_\w+|array|unnest|for\s+update|similar\s+to|` +
	`distinct\s+on|pg_\w+|lateral|nulls\s+(first|last)|current_timestamp|interval)\b|\b(datetime|date|now)\(|::|->>?|\$\d|~\*?\s|\blimit\s+\S+\s*,`)

var isSQL = regexp.MustCompile(`(?s)^\s*(SELECT|INSERT|UPDATE|DELETE|WITH|WHERE|CREATE|DROP|ALTER|ON CONFLICT|FROM|AND)\b`)

// sources parses the package's files that are not tests.
func sources(t *testing.T) (*token.FileSet, map[string]*ast.File) {
	t.Helper()
	names, err := filepath.Glob("*.go")
	must(t, err)
	set, files := token.NewFileSet(), map[string]*ast.File{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(set, name, nil, 0)
		must(t, err)
		files[name] = f
	}
	return set, files
}

func TestQueriesArePortable(t *testing.T) {
	set, files := sources(t)
	queries := 0
	for name, f := range files {
		if slices.Contains(dialectFiles, name) {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			text := strings.Trim(lit.Value, "`\"")
			if !isSQL.MatchString(text) {
				return true
			}
			queries++
			if word := unportable.FindString(text); word != "" {
				t.Errorf("%s: %q is not understood by both databases: say it in portable SQL, or put it behind the dialect "+
					"interface in %s", set.Position(lit.Pos()), word, strings.Join(dialectFiles, " and "))
			}
			return true
		})
	}
	if queries < 40 {
		t.Errorf("only %d queries were found: the test does not see them", queries)
	}
}

func TestTheWordListFindsWhatItShould(t *testing.T) {
	for _, bad := range []string{"INSERT OR REPLACE INTO x", "SELECT a::text", "SELECT $1", "PRAGMA x", "SELECT now()",
		"SELECT a->>'b'", "SELECT * FROM x LIMIT 1, 2", "INSERT INTO x VALUES (1) RETURNING id", "SELECT json_extract(a)"} {
		if !unportable.MatchString(bad) {
			t.Errorf("%q passes", bad)
		}
	}
}

// Every query is a constant: values are only ever bound. insertRows, which repeats a tuple of question marks, and
// the runner itself are the exceptions.
func TestQueriesAreConstantsWithBoundParameters(t *testing.T) {
	set, files := sources(t)
	calls := 0
	for name, f := range files {
		if name == "query.go" || slices.Contains(dialectFiles, name) {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			at, ok := map[string]int{"exec": 1, "change": 1, "get": 2, "all": 2, "insertRows": 1}[method(call)]
			if !ok || len(call.Args) <= at {
				return true
			}
			calls++
			if !constant(call.Args[at]) {
				t.Errorf("%s: the query is put together at run time: write it as a constant and bind the values with ?",
					set.Position(call.Pos()))
			}
			return true
		})
	}
	if calls < 40 {
		t.Errorf("only %d calls were found: the test does not see them", calls)
	}
}

func method(c *ast.CallExpr) string {
	if s, ok := c.Fun.(*ast.SelectorExpr); ok {
		return s.Sel.Name
	}
	return ""
}

// constant accepts literals, names that the package declares as constants, and sums of these.
func constant(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return e.Kind == token.STRING
	case *ast.BinaryExpr:
		return e.Op == token.ADD && constant(e.X) && constant(e.Y)
	case *ast.Ident:
		return slices.Contains([]string{"nameColumns", "fileColumns", "itemColumns", "selectRevisions", "selectRuns",
			"caseColumns", "selectCases", "selectGone", "selectLease", "selectAudit", "selectDayCases", "selectDecisions", "selectDecisionMembers", "orderDecisions"}, e.Name)
	}
	return false
}

// Both folders say the same, apart from the words for types.
func TestBothDialectsHaveTheSameMigrations(t *testing.T) {
	common := func(text string) string {
		for _, r := range []struct{ from, to string }{
			{`BOOLEAN NOT NULL`, `BOOL`}, {`INTEGER NOT NULL CHECK \(\w+ IN \(0, 1\)\)`, `BOOL`},
			{`\bBIGINT\b`, `INTEGER`}, {` COLLATE "C"`, ``}, {`\) STRICT;`, `);`},
		} {
			text = regexp.MustCompile(r.from).ReplaceAllString(text, r.to)
		}
		return text
	}
	read := func(folder string) map[string]string {
		m := map[string]string{}
		entries, err := fs.ReadDir(migrations, "migrations/"+folder)
		must(t, err)
		for _, e := range entries {
			b, err := os.ReadFile(filepath.Join("migrations", folder, e.Name()))
			must(t, err)
			m[e.Name()] = common(string(b))
		}
		return m
	}
	one, two := read("sqlite"), read("postgres")
	if len(one) != len(two) || len(one) == 0 {
		t.Errorf("%d files for SQLite, %d for PostgreSQL", len(one), len(two))
	}
	for name, text := range one {
		if two[name] != text {
			t.Errorf("%s differs in more than the words for types", name)
		}
		if !strings.HasPrefix(text, "-- +goose Up\n") {
			t.Errorf("%s does not begin with -- +goose Up", name)
		}
	}
}

// PostgreSQL would sort texts by the language of the server: every text column must compare by bytes.
func TestTextsCompareByBytesInPostgres(t *testing.T) {
	files, err := filepath.Glob("migrations/postgres/*.sql")
	must(t, err)
	for _, name := range files {
		b, err := os.ReadFile(name)
		must(t, err)
		for i, line := range strings.Split(string(b), "\n") {
			if regexp.MustCompile(`^(\s+|ALTER TABLE \w+ ADD COLUMN )\w+\s+TEXT\b`).MatchString(line) && !strings.Contains(line, `TEXT COLLATE "C"`) {
				t.Errorf("%s:%d: write TEXT COLLATE \"C\"", name, i+1)
			}
		}
	}
}

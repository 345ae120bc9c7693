package lint

import (
	"slices"
	"strings"
	"testing"
)

// route says what a package, and all below it unless they have a route of their own, may import of ours. A name ending
// in /... stands for the package and all below it.
type route struct {
	pkg    string
	allow  []string
	reason string
}

// routes are the arrows of docs/architecture.md. The longest name that fits decides.
var routes = []route{
	{"parsers/txn", nil, "the neutral row is a leaf: everybody may lean on it because it leans on nobody"},
	{"parsers", []string{"parsers/txn"}, "the parsing API knows the row and nothing else"},
	{"parsers/unpack", []string{"parsers", "parsers/txn"}, "unpacking knows no format"},
	{"parsers/", []string{"parsers", "parsers/txn"}, "a format stands alone: what two formats share goes down into parsers or parsers/txn"},
	{"parsers/all", []string{"parsers/..."}, "the explicit list of formats"},
	{"parsers/parsertest", []string{"parsers", "parsers/txn"}, "the contract suite knows no single format"},
	{"reconcile", []string{"parsers/txn", "reconcile/..."}, "the core takes rows and rules; files and readers stay with the pipeline"},
	{"reports", []string{"parsers/txn", "reconcile", "reports/..."}, "reports print an outcome; what they need must be in reconcile.Outcome"},
	{"reports/text", []string{"reconcile"}, "words are keyed by class and state alone"},
	{"fixtures", []string{"parsers/txn"}, "the generator must not share code with what it tests; write the actor's own view"},
	{"fixtures/gen", []string{"fixtures", "parsers/txn"}, "the command of the generator"},
	{"cmd/internal/disk", []string{"cmd/internal/disk"}, "the seam to the file system carries bytes and knows nothing of what they are"},
	{"cmd/internal/fetch", []string{"parsers/txn", "cmd/internal/disk", "cmd/internal/fetch/..."}, "fetch moves bytes and understands none; opening files is the pipeline's work"},
	{"cmd/internal/config", []string{"parsers", "parsers/txn", "reconcile/calendar", "reconcile/register", "cmd/internal/fetch"},
		"configuration names things; who uses them is the pipeline"},
	{"cmd/internal/publish", []string{"parsers/txn", "cmd/internal/disk"}, "publish writes bytes that others made"},
	{"cmd/internal/store", []string{"parsers/txn", "reconcile"}, "the store keeps outcomes; it reads no files and makes no reports"},
	{"cmd/internal/pipeline", []string{"parsers/...", "reconcile/...", "reports/...", "cmd/internal/config", "cmd/internal/disk", "cmd/internal/fetch",
		"cmd/internal/store", "cmd/internal/publish"}, "the one package that knows the order of a day"},
	{"cmd/internal/lint", []string{"..."}, "tests only"},
	{"scripts", []string{"fixtures", "parsers/txn"}, "tools for developers start the program, they do not link it"},
	{"cmd/daozhang", []string{"parsers/...", "reconcile/...", "reports/...", "cmd/internal/...", "fixtures"}, "flags, wiring and exit codes"},
}

func routeOf(name string) *route {
	var best *route
	for i := range routes {
		r := &routes[i]
		fits := name == r.pkg || strings.HasPrefix(name, strings.TrimSuffix(r.pkg, "/")+"/")
		if fits && (best == nil || len(r.pkg) > len(best.pkg)) {
			best = r
		}
	}
	return best
}

func permits(allow []string, name string) bool {
	return slices.ContainsFunc(allow, func(a string) bool {
		whole, below := strings.CutSuffix(a, "...")
		return a == "..." || name == a || below && (name == strings.TrimSuffix(whole, "/") || strings.HasPrefix(name, whole))
	})
}

// TestImportsFollowTheArrows holds for the code itself. Tests may also import what their package is used by, since that
// does not turn an arrow round in the program, except where the last test of this file says otherwise.
func TestImportsFollowTheArrows(t *testing.T) {
	for _, p := range packages(t) {
		r := routeOf(p.name())
		if r == nil {
			t.Errorf("package %s has no route; add one here and in docs/architecture.md", p.name())
			continue
		}
		for _, i := range p.Imports {
			if name, ours := strings.CutPrefix(i, module+"/"); ours && !permits(r.allow, name) {
				t.Errorf("%s imports %s; it may import %s: %s", p.name(), name, orNothing(r.allow), r.reason)
			}
		}
	}
}

func orNothing(list []string) string {
	if len(list) == 0 {
		return "nothing of ours"
	}
	return strings.Join(list, ", ")
}

// forbidden says which packages of others may be imported only where.
var forbidden = []struct {
	prefix string   // of the imported package; a trailing / means below it too
	only   []string // our packages
	route  string
}{
	{"os", []string{"cmd/...", "fixtures/...", "scripts/...", "parsers/unpack", "parsers/parsertest"}, "take an io.Reader or io.Writer"},
	{"os/", []string{"cmd/...", "scripts/..."}, "only commands start programs and catch signals"},
	{"net", []string{"cmd/internal/fetch/...", "cmd/internal/store"}, "the network belongs to fetch; store only asks whether a database host is this machine"},
	{"net/http", nil, "nothing speaks HTTP"},
	{"database/sql", []string{"cmd/internal/store", "cmd/internal/pipeline"}, "the database belongs to store"},
	{"log", nil, "return an error, or take a function that tells people"},
	{"unsafe", nil, "nothing here is worth it"},
	{"math/rand", []string{"fixtures"}, "nothing is random; fixtures use math/rand/v2 with a seed"},
	{"github.com/xuri/excelize/v2", []string{"reports"}, "workbooks are written by reports"},
	{"github.com/gocarina/gocsv", []string{"reports", "cmd/internal/config"}, "only our own small tables; vendor files have a reader that keeps positions"},
	{"github.com/jmoiron/sqlx", []string{"cmd/internal/store"}, "ask the store"},
	{"github.com/jackc/pgx/v5", []string{"cmd/internal/store"}, "ask the store"},
	{"modernc.org/sqlite", []string{"cmd/internal/store"}, "ask the store"},
	{"github.com/pressly/goose/v3", []string{"cmd/internal/store"}, "migrations run when the store opens"},
	{"github.com/pkg/sftp", []string{"cmd/internal/fetch/..."}, "the network belongs to fetch"},
	{"golang.org/x/crypto/", []string{"cmd/internal/fetch/..."}, "the network belongs to fetch"},
	{"github.com/skeema/knownhosts", []string{"cmd/internal/fetch"}, "host keys are judged in one place"},
	{"github.com/spf13/", []string{"cmd/daozhang"}, "flags belong to the command"},
	{"github.com/robfig/cron/v3", []string{"cmd/internal/config", "cmd/daozhang"}, "only serve runs by the clock"},
}

func TestImportsOfOthersStayInTheirPackages(t *testing.T) {
	for _, p := range packages(t) {
		for _, i := range p.Imports {
			for _, f := range forbidden {
				fits := i == f.prefix || strings.HasSuffix(f.prefix, "/") && strings.HasPrefix(i, f.prefix)
				if fits && !permits(f.only, p.name()) {
					t.Errorf("%s imports %s, which only %s may: %s", p.name(), i, orNothing(f.only), f.route)
				}
			}
		}
	}
}

// together lists who may import fetch, store and reconcile at once.
var together = []allowance{
	{"cmd/internal/pipeline", "it is the package that knows the order"},
	{"cmd/daozhang", "it turns their errors into exit codes and prints their figures; it calls none of them in an order of its own"},
}

func TestOnlyThePipelineKnowsFetchStoreAndCore(t *testing.T) {
	used := map[string]bool{}
	for _, p := range packages(t) {
		has := func(name string) bool { return slices.Contains(p.Imports, module+"/"+name) }
		if has("cmd/internal/fetch") && has("cmd/internal/store") && has("reconcile") && !allowed(together, used, p.name()) {
			t.Errorf("%s imports fetch, store and reconcile; the order of a day is cmd/internal/pipeline's", p.name())
		}
	}
	stale(t, together, used)
}

func TestGeneratorAndCoreShareNoCode(t *testing.T) {
	for _, p := range packages(t) {
		if !strings.HasPrefix(p.name()+"/", "fixtures/") {
			continue
		}
		for _, i := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			if name, ours := strings.CutPrefix(i, module+"/"); ours && (name == "reconcile" || strings.HasPrefix(name, "reconcile/")) {
				t.Errorf("%s imports %s, also in tests it must not: its truth would be the core's own opinion", p.name(), name)
			}
		}
	}
}

func TestParsersCoreAndReportsTestsStayBelowTheCommand(t *testing.T) {
	for _, p := range packages(t) {
		if strings.HasPrefix(p.name(), "cmd/") {
			continue
		}
		for _, i := range slices.Concat(p.TestImports, p.XTestImports) {
			if strings.HasPrefix(i, module+"/cmd/") {
				t.Errorf("a test of %s imports %s; test it from the command's side", p.name(), i)
			}
		}
	}
}

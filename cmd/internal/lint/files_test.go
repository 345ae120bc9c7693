package lint

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// fileCalls are the ways of package os to the file system.
var fileCalls = []string{"Open", "OpenFile", "Create", "CreateTemp", "ReadFile", "WriteFile", "ReadDir", "Rename", "Remove", "RemoveAll",
	"Mkdir", "MkdirAll", "MkdirTemp", "Symlink", "Link", "Readlink", "Stat", "Lstat", "Chmod", "Chtimes", "Truncate", "DirFS", "OpenRoot", "CopyFS"}

// touching are the places that may use them, by file or by package.
var touching = []allowance{
	{"cmd/internal/disk/os.go", "the seam's own thin end"},
	{"cmd/internal/config", "the configuration, the register and the calendars are files that the user keeps and we only read"},
	{"cmd/internal/fetch/folder.go", "a source's folder is a place that others deliver to, like a server; it is read through os.Root"},
	{"cmd/internal/fetch/hostkey.go", "known_hosts is the user's"},
	{"cmd/internal/fetch/secret.go", "secrets are the user's"},
	{"cmd/internal/fetch/sftpserver", "the server of the demonstration, which is the other side"},
	{"cmd/internal/store/sqlite.go", "SQLite opens its files itself; beside that the store makes, restricts and backs up the same files"},
	{"cmd/internal/store/filelock.go", "the lock of the books lies beside the database file"},
	{"cmd/internal/pipeline/engine.go", "profiles are files that the user names"},
	{"cmd/internal/pipeline/parse.go", "the user names the file"},
	{"cmd/internal/pipeline/match.go", "the user names the files and the folder of the results"},
	{"cmd/internal/pipeline/sift.go", "rows beyond the memory limit go to temporary files without a name"},
	{"cmd/daozhang", "files that the user names on the command line, and the folder of the demonstration"},
	{"parsers/unpack/unpack.go", "large members go to temporary files without a name"},
	{"fixtures", "writes the generated samples where the developer asks"},
	{"fixtures/gen", "the generator's command"},
}

func TestWhatIsKeptGoesThroughTheDisk(t *testing.T) {
	used := map[string]bool{}
	for _, s := range sources(t) {
		// Tests, what is made for them (parsertest, sshdtest), and tools that measure the program from outside.
		if s.test || strings.HasSuffix(s.pkg, "test") || strings.HasPrefix(s.pkg, "scripts") {
			continue
		}
		name := s.importName("os")
		if name == "" {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok || !slices.Contains(fileCalls, sel.Sel.Name) {
				return true
			}
			if id, ok := sel.X.(*ast.Ident); !ok || id.Obj != nil || id.Name != name {
				return true
			}
			if !allowed(touching, used, s.path) && !allowed(touching, used, s.pkg) {
				t.Errorf("%s:%d: os.%s; archive, carry and reports are reached through a disk.FS (Engine.Disk); for a file that the user names, "+
					"give the place a reason in this test's list", s.path, s.line(sel.Pos()), sel.Sel.Name)
			}
			return true
		})
	}
	stale(t, touching, used)
}

package reports

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
	"daozhang/reports/text"
)

var (
	update = flag.Bool("update", false, "write the golden files anew")
	keep   = flag.String("keep", "", "folder to leave the sample workbooks in, to be looked at")
)

func TestKeepSampleWorkbooks(t *testing.T) {
	if *keep == "" {
		t.Skip("pass -keep DIR to leave the sample workbooks there")
	}
	for _, lang := range []text.Lang{text.ZhCN, text.En} {
		if err := os.WriteFile(filepath.Join(*keep, "sample-"+string(lang)+".xlsx"), workbookBytes(t, sampleBook(lang)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, lang := range []text.Lang{text.ZhCN, text.En} {
		if err := os.WriteFile(filepath.Join(*keep, "changed-"+string(lang)+".xlsx"), workbookBytes(t, changedBook(lang)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	early := sampleBook(text.En)
	early.Preliminary, early.Lang, early.Outcome.Awaited = true, text.ZhCN, []string{"icbc 6222****0188 (2026-01-06 09:30)", "alipay 20889012345678 (2026-01-06 11:00)"}
	calm := sampleBook(text.En)
	calm.Outcome = &reconcile.Outcome{Verdict: reconcile.Balanced}
	for name, b := range map[string]*Book{"preliminary": early, "balanced": calm} {
		if err := os.WriteFile(filepath.Join(*keep, name+".xlsx"), workbookBytes(t, b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func workbookBytes(t testing.TB, b *Book) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := WriteWorkbook(&buf, b); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func open(t testing.TB, data []byte) *excelize.File {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// golden compares with testdata/name, or writes it with -update.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("%s does not exist; run the test with -update and read what it wrote", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); d != "" {
		t.Errorf("%s differs (-want +got); if that is meant, run with -update:\n%s", path, d)
	}
}

func TestSampleFilesAreTheGoldenOnes(t *testing.T) {
	for _, lang := range []text.Lang{text.ZhCN, text.En} {
		var buf bytes.Buffer
		if err := WriteExceptions(&buf, sampleBook(lang)); err != nil {
			t.Fatal(err)
		}
		golden(t, "exceptions."+string(lang)+".csv", buf.Bytes())
		golden(t, "workbook."+string(lang)+".txt", dump(t, workbookBytes(t, sampleBook(lang))))
	}
	var buf bytes.Buffer
	if err := WriteSummary(&buf, sampleBook(text.ZhCN)); err != nil {
		t.Fatal(err)
	}
	golden(t, "summary.json", buf.Bytes())
}

// dump writes every cell as text, with its formula, so that a person can read what a workbook says; all sheets or only
// the named ones.
func dump(t *testing.T, data []byte, only ...string) []byte {
	t.Helper()
	f := open(t, data)
	var b bytes.Buffer
	for _, name := range f.GetSheetList() {
		if len(only) > 0 && !slices.Contains(only, name) {
			continue
		}
		fmt.Fprintf(&b, "== %s\n", name)
		rows, err := f.GetRows(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range rows {
			for j, v := range row {
				if v == "" {
					continue
				}
				formula, err := f.GetCellFormula(name, at(j, i+1))
				if err != nil {
					t.Fatal(err)
				}
				if formula != "" {
					formula = "   =" + formula
				}
				fmt.Fprintf(&b, "%s %s%s\n", at(j, i+1), strings.ReplaceAll(v, "\n", " ⏎ "), formula)
			}
		}
	}
	return b.Bytes()
}

func TestColumnsAndKeysAreThoseOfTheContract(t *testing.T) {
	const columns = "case_id,business_date,class,severity,status,lifecycle,age_days,first_seen,cleared_by,cluster_id,leg,source,merchant_id,store_id,terminal_id,batch_no,trace_no,rrn,auth_code,order_no,channel,kind,rows,amount,other_amount,difference,fee,currency,txn_time,other_txn_time,settle_date,due_date,payout_id,bank_ref,near_pass,differs,cause_code,cause,action,owner,evidence,file,line,other_file,other_line,revision"
	var buf bytes.Buffer
	empty := sampleBook(text.En)
	empty.Outcome = &reconcile.Outcome{Verdict: reconcile.Balanced}
	if err := WriteExceptions(&buf, empty); err != nil {
		t.Fatal(err)
	}
	if buf.String() != columns+"\n" {
		t.Errorf("an empty exceptions.csv is %q", buf.String())
	}
	buf.Reset()
	if err := WriteSummary(&buf, empty); err != nil {
		t.Fatal(err)
	}
	last := -1
	for _, key := range []string{"schema_version", "entity", "business_date", "revision", "as_of", "verdict", "sides", "passes",
		"classes", "payouts", "roll_forward", "slots", "history"} {
		i := strings.Index(buf.String(), "\n  \""+key+"\"")
		if i <= last {
			t.Errorf("key %s is missing or out of order", key)
		}
		last = i
	}
	if n := strings.Count(buf.String(), "null"); n != 1 || !strings.Contains(buf.String(), "\n    \"previous\": null") {
		t.Errorf("%d values are null; only previous may be", n)
	}
	last = -1
	for _, key := range []string{"awaited", "go_live", "program", "config_digest", "previous", "inputs", "changes", "files", "decisions",
		"moves", "changes_left_out"} {
		i := strings.Index(buf.String(), "\n    \""+key+"\"")
		if i <= last {
			t.Errorf("key %s of history is missing or out of order", key)
		}
		last = i
	}
	workbookBytes(t, empty) // an empty day has a workbook as well
}

func TestSummaryIsReadBackAndAnUnknownSchemaIsRefused(t *testing.T) {
	var buf bytes.Buffer
	b := sampleBook(text.En)
	b.Preliminary = true
	if err := WriteSummary(&buf, b); err != nil {
		t.Fatal(err)
	}
	s, err := ReadSummary(&buf)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(b.summary(), s); d != "" {
		t.Errorf("read back otherwise (-written +read):\n%s", d)
	}
	if s.Verdict != "preliminary" {
		t.Errorf("a preliminary book has the verdict %s", s.Verdict)
	}
	if _, err := ReadSummary(strings.NewReader(`{"schema_version":2,"new":1}`)); !errors.Is(err, ErrSchema) {
		t.Errorf("schema 2 gives %v", err)
	}
	if _, err := ReadSummary(strings.NewReader(`{"schema_version":1,"new":1}`)); err != nil {
		t.Errorf("an appended key is refused: %v", err)
	}
}

func TestThirtyWorkbooksOfOneBookHaveOneHash(t *testing.T) {
	seen := map[[32]byte]int{}
	for range 30 {
		seen[sha256.Sum256(workbookBytes(t, sampleBook(text.ZhCN)))]++
	}
	if len(seen) != 1 {
		t.Errorf("30 workbooks have %d hashes", len(seen))
	}
	r, err := zip.NewReader(bytes.NewReader(workbookBytes(t, sampleBook(text.ZhCN))), int64(len(workbookBytes(t, sampleBook(text.ZhCN)))))
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i < len(r.File); i++ {
		if r.File[i-1].Name >= r.File[i].Name {
			t.Errorf("entry %s stands before %s", r.File[i-1].Name, r.File[i].Name)
		}
	}
}

func TestIdentifiersAreTextAndAmountsAreExact(t *testing.T) {
	b := sampleBook(text.En)
	b.Outcome = &reconcile.Outcome{}
	kwd, _ := txn.ParseCurrency("KWD")
	jpy, _ := txn.ParseCurrency("JPY")
	amounts := []struct {
		minor int64
		cur   txn.Currency
		want  string
	}{{1, txn.CNY, "0.01"}, {999999999999999, txn.CNY, "9999999999999.99"}, {-999999999999998, txn.CNY, "-9999999999999.98"},
		{70, txn.CNY, "0.7"}, {1234567, kwd, "1234.567"}, {-5, jpy, "-5"}, {8, txn.CNY, "0.08"}, {123456789012345678, txn.CNY, "⚠ 1234567890123456.78"}}
	for i, a := range amounts {
		b.Outcome.Lines = append(b.Outcome.Lines, reconcile.Line{CaseID: fmt.Sprintf("C-%d", i), Class: reconcile.T01, Status: "in_window",
			Amount: reconcile.Some(a.minor), Currency: a.cur, RRN: "000123456789012345678", DueDate: b.Date + txn.Date(i)})
	}
	f := open(t, workbookBytes(t, b))
	name := text.Sheet("open_items", text.En)
	for i, a := range amounts {
		got, err := f.GetCellValue(name, at(2, firstData+i), excelize.Options{RawCellValue: true})
		if err != nil {
			t.Fatal(err)
		}
		if got != a.want {
			t.Errorf("%d %s is stored as %s, want %s", a.minor, a.cur, got, a.want)
		}
		ref := at(6, firstData+i)
		typ, err := f.GetCellType(name, ref)
		if err != nil {
			t.Fatal(err)
		}
		if v, _ := f.GetCellValue(name, ref); typ != excelize.CellTypeInlineString || v != "000123456789012345678" {
			t.Errorf("the RRN is a cell of type %d with %q", typ, v)
		}
	}
}

func TestAMillionAmountsRoundTripAsCells(t *testing.T) {
	x := uint64(1)
	for range 1_000_000 {
		x = x*6364136223846793005 + 1442695040888963407
		minor := int64(x % (maxExact + 1))
		if x>>63 == 1 {
			minor = -minor
		}
		s := strconv.FormatFloat(decimalCell(minor, 2, "").v.(float64), 'f', -1, 64)
		back, err := txn.ParseDecimal([]byte(s), 2)
		if err != nil || back != minor {
			t.Fatalf("%d is written as %s and read as %d (%v)", minor, s, back, err)
		}
	}
}

func TestManyCasesAreCappedAndManyRowsGoOnAnotherSheet(t *testing.T) {
	b := sampleBook(text.En)
	b.Limits = Limits{Exceptions: 7, SheetRows: 5}
	f := open(t, workbookBytes(t, b))
	names := strings.Join(f.GetSheetList(), ",")
	for _, want := range []string{"Exceptions,Exceptions (2),Roll", "Open items,Open items (2),Open items (3)"} {
		if !strings.Contains(names, want) {
			t.Errorf("sheets are %s, want %s among them", names, want)
		}
	}
	title, _ := f.GetCellValue("Exceptions", "C1")
	if !strings.Contains(title, "the first 7 of 40 cases") || !strings.Contains(title, "exceptions.csv") {
		t.Errorf("the title says %q", title)
	}
	for _, name := range []string{"Exceptions", "Exceptions (2)"} {
		if head, _ := f.GetCellValue(name, "C3"); head != "Class" {
			t.Errorf("the third row of %s has %q instead of the headings", name, head)
		}
	}
}

func TestEveryLinkLeadsToARowOfTheBook(t *testing.T) {
	data := workbookBytes(t, sampleBook(text.En))
	f := open(t, data)
	rows := map[string]int{}
	for _, name := range f.GetSheetList() {
		r, err := f.GetRows(name)
		if err != nil {
			t.Fatal(err)
		}
		rows[name] = len(r)
	}
	n := 0
	eachPart(t, data, func(part, xml string) {
		for _, m := range regexp.MustCompile(`<hyperlink ref="[A-Z]+[0-9]+" location="&#39;(.*?)&#39;!A([0-9]+)"`).FindAllStringSubmatch(xml, -1) {
			n++
			if row, _ := strconv.Atoi(m[2]); row < 1 || row > rows[m[1]] {
				t.Errorf("%s links to row %s of %q, which has %d rows", part, m[2], m[1], rows[m[1]])
			}
		}
		if strings.Contains(xml, "http://example.com") && strings.Contains(part, "rels") {
			t.Errorf("%s holds a link made by a vendor", part)
		}
	})
	if n < 40 || n > 2000 {
		t.Errorf("the book has %d links", n)
	}
}

func TestPaperSettingsSurviveTheStream(t *testing.T) {
	b := sampleBook(text.ZhCN)
	data := workbookBytes(t, b)
	var csvBytes bytes.Buffer
	if err := WriteExceptions(&csvBytes, b); err != nil {
		t.Fatal(err)
	}
	digest := fmt.Sprintf("%x", sha256.Sum256(csvBytes.Bytes()))[:12]
	eachPart(t, data, func(part, xml string) {
		if !strings.HasPrefix(part, "xl/worksheets/sheet") {
			return
		}
		for _, want := range []string{`fitToPage="true"`, `orientation="landscape"`, `paperSize="9"`, `fitToWidth="1"`, digest, "&amp;P / &amp;N"} {
			if !strings.Contains(xml, want) {
				t.Errorf("%s lacks %s", part, want)
			}
		}
	})
	f := open(t, data)
	titles := 0
	for _, n := range f.GetDefinedName() {
		if n.Name == "_xlnm.Print_Titles" {
			titles++
		}
	}
	if want := len(f.GetSheetList()) - 1; titles != want {
		t.Errorf("%d sheets repeat their headings on paper, want %d", titles, want)
	}
}

func TestWorkbookNamesFollowTheContract(t *testing.T) {
	b := &Book{Entity: "云锦/上海", Date: txn.MakeDate(2026, 1, 5), Revision: 3}
	if got := WorkbookName(b, false); got != "对账差异_云锦_上海_2026-01-05_r3.xlsx" {
		t.Errorf("name is %s", got)
	}
	if got := WorkbookName(b, true); got != "daozhang_______2026-01-05_r3.xlsx" {
		t.Errorf("ASCII name is %s", got)
	}
}

func TestABookWithoutAnOutcomeIsAnErrorNotAPanic(t *testing.T) {
	for _, b := range []*Book{nil, {}, {Outcome: &reconcile.Outcome{}}, {Outcome: &reconcile.Outcome{}, Date: 1}} {
		if WriteExceptions(&bytes.Buffer{}, b) == nil || WriteSummary(&bytes.Buffer{}, b) == nil || WriteWorkbook(&bytes.Buffer{}, b) == nil {
			t.Errorf("%+v is written without an error", b)
		}
	}
}

// TestEveryTextThatTheSheetsAskForExists reads the package's own source, so that a key without a text cannot reach a
// reader.
func TestEveryTextThatTheSheetsAskForExists(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			c, ok := n.(*ast.CallExpr)
			if !ok || len(c.Args) == 0 {
				return true
			}
			sel, ok := c.Fun.(*ast.SelectorExpr)
			lit, isLit := c.Args[0].(*ast.BasicLit)
			if !ok || !isLit || lit.Kind != token.STRING {
				return true
			}
			find := map[string]func(string, text.Lang) string{"Label": text.Label, "Heading": text.Heading, "Sheet": text.Sheet}[sel.Sel.Name]
			key, _ := strconv.Unquote(lit.Value)
			if find != nil {
				if asked++; find(key, text.ZhCN) == key {
					t.Errorf("%s asks for %s %q, which has no text", path, sel.Sel.Name, key)
				}
			}
			return true
		})
	}
	b := sampleBook(text.ZhCN)
	d := derive(b)
	for _, tab := range []*table{exceptionsTable(b, d), clearedTable(b, d), openItemsTable(b, d), rollTable(b), differencesTable(b, d),
		totalsTable(b), payoutsTable(b), filesTable(b)} {
		for _, c := range tab.cols {
			if asked++; text.Heading(c.key, text.ZhCN) == c.key {
				t.Errorf("column %s of %s has no heading", c.key, tab.key)
			}
		}
	}
	if asked < 150 {
		t.Errorf("only %d texts were found: the test no longer reads the source", asked)
	}
}

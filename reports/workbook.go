package reports

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
	"daozhang/reports/text"
)

// WriteWorkbook writes the book as an xlsx file in the book's language. The bytes depend on the book alone. Its
// footer carries the beginning of the SHA-256 of the exceptions.csv of the same book, so that a printed page can be
// tied to its file.
func WriteWorkbook(w io.Writer, b *Book) (err error) {
	if err := b.check(); err != nil {
		return err
	}
	digest := sha256.New()
	if err := WriteExceptions(digest, b); err != nil {
		return err
	}
	f := excelize.NewFile()
	defer func() {
		if cerr := f.Close(); err == nil && cerr != nil {
			err = fmt.Errorf("workbook of %s: removing temporary files: %w", b.Date, cerr)
		}
	}()
	wb := &workbook{file: f, styles: newStyles(f, b.lang()), digest: hex.EncodeToString(digest.Sum(nil))}
	wb.footer = footer(b, wb.digest)
	if err := wb.build(b); err != nil {
		return fmt.Errorf("workbook of %s: %w", b.Date, err)
	}
	if err := wb.properties(b); err != nil {
		return fmt.Errorf("workbook of %s: %w", b.Date, err)
	}
	at := b.AsOf.UTC()
	// Straight to w: the library would hold the whole archive in its own buffer once more.
	f.SetZipWriter(func(io.Writer) excelize.ZipWriter { return &sortedZip{to: w, at: at} })
	if _, err := f.WriteTo(w); err != nil {
		return fmt.Errorf("workbook of %s: %w", b.Date, err)
	}
	return nil
}

// build makes the sheets in their order. Tables are built before the summary is written, since its links need their
// rows; sheets come into being in order, since their order in the file is the order of the tabs.
func (w *workbook) build(b *Book) error {
	d := derive(b)
	exceptions, cleared, open := exceptionsTable(b, d), clearedTable(b, d), openItemsTable(b, d)
	sheets := []*sheet{summarySheet(b, d), controlSheet(b)}
	sheets = append(sheets, exceptions.sheets(b)...)
	sheets = append(sheets, rollTable(b).sheets(b)...)
	sheets = append(sheets, differencesTable(b, d).sheets(b)...)
	sheets = append(sheets, totalsTable(b).sheets(b)...)
	sheets = append(sheets, payoutsTable(b).sheets(b)...)
	sheets = append(sheets, open.sheets(b)...)
	sheets = append(sheets, cleared.sheets(b)...)
	sheets = append(sheets, filesTable(b).sheets(b)...)
	if s := changesSheet(b, d); s != nil {
		sheets = append(sheets, s)
	}
	sheets = append(sheets, notesSheet(b, w.digest))
	f := w.file
	if err := f.SetDefaultFont(w.styles.font); err != nil {
		return err
	}
	for i, s := range sheets {
		if i == 0 {
			if err := f.SetSheetName(f.GetSheetName(0), s.name); err != nil {
				return err
			}
			continue
		}
		if _, err := f.NewSheet(s.name); err != nil {
			return err
		}
	}
	f.SetActiveSheet(0)
	for _, s := range sheets {
		if err := w.write(s); err != nil {
			return err
		}
	}
	return nil
}

// properties fix the document's dates: the library would put the present time.
func (w *workbook) properties(b *Book) error {
	stamp := b.AsOf.UTC().Format(time.RFC3339)
	if err := w.file.SetDocProps(&excelize.DocProperties{Creator: "daozhang", LastModifiedBy: "daozhang",
		Created: stamp, Modified: stamp, Title: text.Label("doc_title", b.lang()) + " " + b.caption(),
		Language: string(b.lang())}); err != nil {
		return err
	}
	return w.file.SetAppProps(&excelize.AppProperties{Application: "daozhang"})
}

// footer is page x/y in the middle, the book on the left, the digest on the right. An ampersand in a footer begins a
// code and is therefore doubled.
func footer(b *Book, digest string) string {
	entity := strings.ReplaceAll(clip(cellText(b.Entity), 40), "&", "&&")
	return fmt.Sprintf("&L&8%s · %s · r%d&C&8&P / &N&R&8exceptions.csv %s", entity, b.Date, b.Revision, digest[:12])
}

// notesSheet says what the words mean and what the book was made from.
func notesSheet(b *Book, digest string) *sheet {
	lang := b.lang()
	g := &grid{}
	name := text.Sheet("notes", lang)
	sheetTitle(g, b, name, "notes_note")
	pair := func(k, v string) {
		g.add(0, ruled(cell{v: k, look: look{bold: true, wrap: true}}, str(v))...)
	}
	head := func(key string) {
		g.add(10)
		h := make([]cell, 2)
		for i := range h {
			h[i] = cell{look: look{fill: fillBlock, bold: true, ink: inkAccent, size: 10, middle: true}}
		}
		h[0].v = text.Label(key, lang)
		g.add(20, h...)
	}
	head("notes_book")
	pair(text.Heading("business_date", lang), b.Date.String())
	pair(text.Label("as_of", lang), b.asOf().Format(time.RFC3339)+" ("+b.zoneName()+")")
	pair(text.Label("go_live", lang), b.GoLive.String())
	before(b, pair, lang)
	pair(text.Label("program", lang), b.Program)
	pair(text.Label("config_digest", lang), b.ConfigDigest)
	pair("SHA-256 exceptions.csv", digest)
	head("notes_words")
	for _, n := range text.Notes(lang) {
		pair(n[0], n[1])
	}
	head("notes_states")
	for _, s := range []reconcile.State{reconcile.Matched, reconcile.InWindow, reconcile.Exception, reconcile.Explained,
		reconcile.Excluded, reconcile.Rejected} {
		pair(text.State(s, lang), text.Label("state_"+string(s), lang))
	}
	head("notes_classes")
	present := map[reconcile.Class]bool{}
	for i := range b.Outcome.Lines {
		present[b.Outcome.Lines[i].Class] = true
	}
	for _, c := range reconcile.Classes() {
		if e := text.ClassEntry(c.Class); present[c.Class] {
			pair(string(c.Class)+" "+e.Name.In(lang), e.What.In(lang)+" "+e.Action.In(lang))
		}
	}
	s := g.sheet(name, 34, 120)
	s.freezeRows = 2
	s.repeat = "1:2"
	return s
}

// before lists what was expected before the first business date and is left out, with its sum.
func before(b *Book, pair func(k, v string), lang text.Lang) {
	for _, s := range b.Outcome.Sides {
		if s.State == reconcile.Excluded && s.Reason == reconcile.BeforeGoLive {
			pair(text.Reason(reconcile.BeforeGoLive, lang), fmt.Sprintf(text.Label("before_line", lang),
				text.Side(s.Side.String(), lang), cellText(s.Source+" "+s.Slot), s.Rows,
				txn.FormatAmount(s.Amount, s.Currency), s.Currency))
		}
	}
}

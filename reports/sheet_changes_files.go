package reports

import (
	"fmt"

	"daozhang/reconcile"
	"daozhang/reports/text"
)

// corrected compares each corrected file with the one before it: what was added, removed and changed, in rows and money,
// and the first rows that differ. The block is left out where no file was corrected.
func (p *changesPage) corrected() {
	if len(p.ch.Files) == 0 {
		return
	}
	p.block(p.label("block_corrected"))
	shown := min(len(p.ch.Files), p.b.Limits.exceptions())
	for i := range p.ch.Files[:shown] {
		p.correctedFile(&p.ch.Files[i], i)
	}
	if rest := len(p.ch.Files) - shown; rest > 0 {
		p.say(p.label("more_files", rest), look{ink: inkWarn})
	}
}

func (p *changesPage) correctedFile(f *FileChange, i int) {
	if i > 0 {
		p.g.add(8)
	}
	p.g.add(0, p.heads("no", "source", "slot", "file_now", "file_before", "change", ">rows", ">net_amount", "currency")...)
	first := p.g.next()
	cur := f.Currency
	ccy := currencyCell(cur)
	for j, v := range [...]struct {
		kind string
		fig  reconcile.Figure
	}{{"added", f.Added}, {"removed", reconcile.Figure{Rows: f.Removed.Rows, Amount: -f.Removed.Amount}}, {"changed", f.Edited}} {
		cells := make([]cell, 5)
		if j == 0 {
			file := f.File
			if f.Revision > 0 {
				file += "\n" + p.label("file_revision", f.Revision)
			}
			cells = []cell{count(int64(i + 1)).bold().centered(), ident(quoted(f.Source)).bold(), ident(quoted(f.Slot)), ident(file),
				ident(quoted(f.Former)).indented()}
		}
		p.g.add(0, ruled(append(cells, str(text.RowChange(v.kind, p.lang)).indented(), count(v.fig.Rows), money(v.fig.Amount, cur), ccy)...)...)
	}
	last := p.g.next() - 1
	rows, net := f.Added.Rows+f.Removed.Rows+f.Edited.Rows, f.Added.Amount-f.Removed.Amount+f.Edited.Amount
	total := make([]cell, 5)
	total = append(total, cell{v: text.Label("rows_net", p.lang), look: look{indent: true}}, count(rows).live("SUM("+span(6, first, last)+")"),
		money(net, cur).live(fmt.Sprintf("ROUND(SUM(%s),%d)", span(7, first, last), cur.Decimals())), ccy)
	p.g.add(minLine+3, summed(total...)...)
	if rows == 0 {
		p.say(p.label("no_rows_differ"), look{ink: inkMuted})
	}
	p.changedRows(f, rows)
}

// changedRows lists the first rows that differ.
func (p *changesPage) changedRows(f *FileChange, all int64) {
	rows := f.Rows[:min(len(f.Rows), shownRows)]
	if len(rows) == 0 {
		return
	}
	p.g.add(0, p.heads("", "rows_first", "change", "row_text", ">row_line", ">amount_was", ">amount_is", ">difference", "currency")...)
	for _, r := range rows {
		n, line := p.g.next(), cell{}
		if r.Line > 0 {
			line = count(int64(r.Line))
		}
		u := &reconcile.Line{Currency: r.Currency}
		was, is := sum(u, r.Was), sum(u, r.Is)
		diff := money(r.Is.Minor-r.Was.Minor, r.Currency)
		diff = diff.live(fmt.Sprintf("ROUND(%s-%s,%d)", at(6, n), at(5, n), r.Currency.Decimals()))
		p.g.add(0, ruled(cell{}, cell{}, str(text.RowChange(r.Change, p.lang)), ident(quoted(r.Text)), line, was, is, diff.bold(),
			currencyCell(r.Currency))...)
	}
	if all > int64(len(rows)) {
		cells := make([]cell, 4)
		cells[3] = cell{v: p.label("more_rows", len(rows), all), look: look{ink: inkMuted}}
		p.g.add(0, cells...)
	}
}

// decisions lists what people said that is in effect on this date.
func (p *changesPage) decisions() {
	all := p.ch.Decisions
	if len(all) == 0 {
		p.block(p.label("block_decisions"))
		p.say(p.label("none_decisions"), look{ink: inkMuted})
		return
	}
	p.block(p.label("block_decisions"), "no", "case_id", "decision_status", "reason", "by", "until", "effective_on", "entered_at",
		"decided_class")
	shown := min(len(all), p.b.Limits.exceptions())
	for i := range all[:shown] {
		v := &all[i]
		id := p.caseCell(v.CaseID)
		p.g.later(func() []cell {
			status := str(text.DecisionStatus(v.Status, p.lang)).bold()
			if v.Status.Closes() {
				status = status.ink(inkGood)
			}
			return ruled(count(int64(i+1)).muted().centered(), id, status, str(quoted(v.Reason)), ident(quoted(v.Author)).indented(), date(v.Until),
				date(v.EffectiveOn), p.when(v.At), str(string(v.Class)).centered())
		})
	}
	if rest := len(all) - shown; rest > 0 {
		p.say(p.label("more_decisions", rest), look{ink: inkWarn})
	}
}

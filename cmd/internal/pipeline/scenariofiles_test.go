package pipeline

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"

	"daozhang/parsers/txn"
)

// special is how one row of a file differs from what happened.
type special struct {
	fen   int64
	set   bool   // fen is
	clock string // where it differs
	n     int    // trace number and reference, where they differ
	drop  bool
	add   bool
}

// fileOrder is what the text says about one file.
type fileOrder struct {
	as       string
	gzip     bool
	intraday bool
	but      map[string]special
}

func (c *cursor) fileOrder() (o fileOrder) {
	o.but = map[string]special{}
	for !c.done() {
		switch {
		case c.take(","):
		case c.take("as"):
			o.as = c.next("another name")
		case c.take("gzipped"):
			o.gzip = true
		case c.take("intraday"):
			o.intraday = true
		case c.take("without"):
			o.but[c.next("a row")] = special{drop: true}
		case c.take("with"):
			name, x := c.next("a row"), special{add: true}
			if c.take("for") {
				x.fen, x.set = c.money(), true
			}
			if c.take("at") {
				x.clock = c.clock()
			}
			if c.take("numbered") {
				x.n = c.number()
			}
			o.but[name] = x
		default:
			c.fail("%q is not understood", strings.Join(c.words, " "))
		}
	}
	return o
}

// rows are the transactions that belong into a file, with what is special about it.
func (p *play) rows(c *cursor, o fileOrder, belongs func(*deal) bool) (out []deal) {
	for name := range o.but {
		p.deal(c, name)
	}
	for _, d := range p.deals {
		x := o.but[d.name]
		if x.drop && !belongs(d) {
			c.fail("%s would not be in it anyway", d.name)
		}
		if x.drop || !belongs(d) && !x.add {
			continue
		}
		row := *d
		if x.set {
			row.fen = x.fen
		}
		row.clock, row.n = cmp.Or(x.clock, row.clock), cmp.Or(x.n, row.n)
		out = append(out, row)
	}
	return out
}

func (p *play) journal(c *cursor) {
	store := "S01"
	if registerIDs[c.peek()][0] != "" {
		store = c.next("a store")
	}
	d := c.day()
	o := c.fileOrder()
	if o.gzip || o.intraday || o.as != "" {
		c.fail("a journal has one name and one form")
	}
	p.writeJournal(c, store, d, o)
}

func (p *play) writeJournal(c *cursor, store string, on txn.Date, o fileOrder) {
	var w strings.Builder
	w.WriteString("merchant_id,store_id,terminal_id,batch_no,trace_no,rrn,channel,kind,amount,currency,txn_time,response_code,orig_trace_no,orig_rrn,orig_date\n")
	tid := registerIDs[store][0]
	// A declined sale, so that no two days' files are the same bytes.
	fmt.Fprintf(&w, "M01,%s,%s,1,9%s,,card,sale,0.01,CNY,%s 07:00:00,51,,,\n", store, tid, on.Compact()[3:], on)
	for _, d := range p.rows(c, o, func(d *deal) bool { return d.till && d.on == on && d.store == store }) {
		s := d.sold()
		trace, rrn := s.numbers()
		batch := "1"
		if d.bare {
			batch = ""
		}
		orig := ",,"
		if d.of != nil {
			t, r := d.of.sold().numbers()
			orig = t + "," + r + "," + d.of.on.String()
		}
		fmt.Fprintf(&w, "M01,%s,%s,%s,%s,%s,card,%s,%s,CNY,%s,00,%s\n", store, tid, batch, trace, rrn, d.kind, yuan(d.fen), s.at, orig)
	}
	p.deliver(c, "pos/journal_"+store+"_"+on.Compact()+".csv", []byte(w.String()))
}

func billOf(on txn.Date, rows []deal) []byte {
	var w strings.Builder
	fmt.Fprintf(&w, "清算日期从：\t%s\t到：\t%s\n", on.Compact(), on.Compact())
	w.WriteString("清算日期\t交易日期\t交易时间\t终端号\t交易金额\t清算金额\t手续费\t流水号\t交易类型\t参考号\t卡号\t商户号\t发卡行\t卡类型\t商户订单号\t银商订单号\t支付类型\n")
	var amount, net int64
	for i := range rows {
		s := rows[i].sold()
		trace, rrn := s.numbers()
		fmt.Fprintf(&w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\t898310054110101\t\t\t\t\t银行卡\n", on.Compact(), s.at[:10], s.at[11:], registerIDs[rows[i].store][1],
			yuan(s.fen), yuan(rows[i].net()), yuan(s.fen-rows[i].net()), trace, rows[i].typed, rrn)
		amount += s.fen
		net += rows[i].net()
	}
	fmt.Fprintf(&w, "总笔数：\t%d\t\t交易金额：\t%s\t\t结算金额：\t%s\t\t手续费：\t%s\n", len(rows), yuan(amount), yuan(net), yuan(amount-net))
	return []byte(w.String())
}

func (p *play) bill(c *cursor) {
	on := c.day()
	o := c.fileOrder()
	if o.intraday || o.gzip != (o.as != "") {
		c.fail("a bill under another name is gzipped, and it is never intraday")
	}
	p.writeBill(c, on, o)
}

func (p *play) writeBill(c *cursor, on txn.Date, o fileOrder) {
	data := billOf(on, p.rows(c, o, func(d *deal) bool { return d.cleared == on }))
	name := "ums/ums_" + on.Compact() + ".txt"
	if o.gzip {
		name, data = "ums/ums_"+on.Compact()+"_"+o.as+".txt.gz", gzipped(p.t, data)
	}
	p.deliver(c, name, data)
}

// bills puts several bills of one day into one archive.
func (p *play) bills(c *cursor) {
	on := c.day()
	c.need("in", "one", "archive", ":")
	var all [][]byte
	for more := true; more; more = c.take(";") {
		var rows []deal
		for _, name := range c.list("a transaction") {
			if d := p.deal(c, name); d != nil {
				rows = append(rows, *d)
			}
		}
		all = append(all, billOf(on, rows))
	}
	p.deliver(c, "ums/ums_"+on.Compact()+".zip", zipOfBills(p.t, all...))
}

func (p *play) statement(c *cursor) {
	from, to := c.period()
	p.writeStatement(c, from, to, c.fileOrder())
}

func (p *play) writeStatement(c *cursor, from, to txn.Date, o fileOrder) {
	if o.gzip {
		c.fail("statements come as they are")
	}
	moves := slices.Clone(p.moves)
	slices.SortStableFunc(moves, func(a, b *movement) int { return cmp.Compare(a.on, b.on) })
	first := int64(opening)
	for _, m := range moves {
		if m.on < from {
			first += m.fen
		}
	}
	balance := first
	var lines strings.Builder
	for _, m := range moves {
		switch x := o.but[m.name]; {
		case m.on < from || m.on > to || x.drop:
		default:
			fen := m.fen
			if x.set {
				fen = x.fen
			}
			balance += fen
			in, out := yuan(fen), ""
			if fen < 0 {
				in, out = "", yuan(-fen)
			}
			fmt.Fprintf(&lines, "%s,CNY,%s,09:30:00,%s,%s,%s,%s,settlement,%s\n", account, m.on, in, out, yuan(balance), m.who, m.name)
		}
	}
	for name := range o.but {
		if m := p.movement(name); m == nil || m.on < from || m.on > to {
			c.fail("the account has no line %s in these days", name)
		}
	}
	head, tail := "", ""
	if !o.intraday {
		head = fmt.Sprintf("#period,%s,%s\n#opening,%s,CNY,%s\n", from, to, account, yuan(first))
		tail = fmt.Sprintf("#closing,%s,CNY,%s\n", account, yuan(balance))
	}
	name := "bank/bank_" + account + "_" + to.Compact()
	if o.as != "" {
		name += "_" + o.as
	}
	p.deliver(c, name+".csv", []byte(head+"account,currency,booking_date,booking_time,credit,debit,balance,counterparty_name,remittance,bank_ref\n"+lines.String()+tail))
}

// files brings what a day usually brings.
func (p *play) files(c *cursor) {
	from, to := c.period()
	except := map[string]bool{}
	if c.take("except") {
		for more := true; more; more = c.take(",") {
			what := c.next("a file")
			if what == "journal" {
				what = "S01"
				if registerIDs[c.peek()][0] != "" {
					what = c.next("a store")
				}
			} else if what != "bill" && what != "statement" {
				c.fail("%q is none of journal, bill, statement", what)
			}
			except[what] = true
		}
	}
	for on := from; on <= to && c.err == nil; on++ {
		p.usual(c, on, except)
	}
}

func (p *play) usual(c *cursor, on txn.Date, except map[string]bool) {
	for _, s := range p.stores {
		if !except[s] {
			p.writeJournal(c, s, on, fileOrder{})
		}
	}
	if !except["bill"] {
		p.writeBill(c, on, fileOrder{})
	}
	if !except["statement"] {
		p.writeStatement(c, on, on, fileOrder{})
	}
}

// deliver writes a file into the inbox, where the next fetch finds it.
func (p *play) deliver(c *cursor, name string, data []byte) {
	if c.err != nil {
		return
	}
	p.begin()
	p.waiting = append(p.waiting, inboxFile{name, data})
	p.b.write("inbox/"+name, data)
}

type inboxFile struct {
	name string
	data []byte
}

const vendorFormats = "../../../parsers/profile/vendors/"

// ownFormat makes a format of the shop's own out of the built-in one, which does not know a type of row.
func (p *play) ownFormat(c *cursor, lacks string) {
	text, err := os.ReadFile(vendorFormats + "chinaums_tab17.yaml")
	if err != nil {
		c.err = err
		return
	}
	own := strings.Replace(string(text), "name: chinaums_tab17", "name: shop_bill", 1)
	if lacks != "" {
		if less := strings.Replace(own, lacks+": sale, ", "", 1); less != own {
			own = less
		} else {
			c.fail("the format does not know %s anyway", lacks)
		}
	}
	p.extra["profiles/shop_bill.yaml"] = []byte(own)
	if p.b != nil {
		p.b.write("profiles/shop_bill.yaml", []byte(own))
		p.b.load()
	}
}

package pipeline

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"daozhang/parsers/txn"
)

func (p *play) shopVerbs() map[string]func(*cursor) {
	return map[string]func(*cursor){
		"first": func(c *cursor) {
			c.need("day")
			p.config = append(p.config, "GO_LIVE", c.day().String())
		},
		"stores": func(c *cursor) {
			p.stores = nil
			for !c.done() {
				p.stores = append(p.stores, c.next("a store"))
			}
			p.config = append(p.config, "slots: {store: [S01]}", "slots: {store: ["+strings.Join(p.stores, ", ")+"]}")
		},
		"statements": func(c *cursor) {
			from, to := c.period()
			var days []string
			for d := from; d <= to; d++ {
				days = append(days, strings.ToLower(weekdays[d.Weekday()+6-7*((d.Weekday()+6)/7)]))
			}
			p.config = append(p.config, "days: daily", "days: ["+strings.Join(days, ", ")+"]")
		},
		"bills": func(c *cursor) {
			c.need("missing", "on", "quiet", "days")
			p.config = append(p.config, "due: \"+1 10:00\"\n    empty_day: empty_file", "due: \"+1 10:00\"\n    empty_day: no_file")
		},
		"history": func(c *cursor) {
			p.config = append(p.config, "lang: en", fmt.Sprintf("lang: en\nrules: {history_days: %d}", c.number()))
			c.need("days")
		},
		"terms": func(c *cursor) {
			term := c.next("a rate") + " " + c.next("a cycle")
			if !c.take("from") {
				p.terms = []string{term + " 2025-01-01"}
			} else {
				p.terms = append(p.terms, term+" "+c.day().String())
			}
			p.writeTerms()
		},
		"format": func(c *cursor) {
			if c.take("is", "mended") {
				p.ownFormat(c, "")
				return
			}
			c.need("lacks")
			p.config = append(p.config, "formats: [chinaums_tab17]", "formats: [shop_bill]", "register: register", "register: register\nprofiles: [profiles/*.yaml]")
			p.ownFormat(c, c.next("a type"))
		},
	}
}

func (p *play) truthVerbs() map[string]func(*cursor) {
	return map[string]func(*cursor){
		"sale":      func(c *cursor) { p.sale("sale", c) },
		"refund":    func(c *cursor) { p.sale("refund", c) },
		"void":      func(c *cursor) { p.sale("void", c) },
		"credit":    p.credit,
		"daily":     p.daily,
		"journal":   p.journal,
		"bill":      p.bill,
		"statement": p.statement,
		"files":     p.files,
		"archive":   p.bills,
	}
}

func (p *play) contractsCSV() []byte {
	var w strings.Builder
	w.WriteString(contractsHead)
	for i, term := range p.terms {
		f := strings.Fields(term)
		to := ""
		if i+1 < len(p.terms) {
			next, err := txn.ParseDate(strings.Fields(p.terms[i+1])[2])
			if err != nil {
				p.t.Fatal(err)
			}
			to = (next - 1).String()
		}
		fmt.Fprintf(&w, "C1,M01,,,,%s,,,,row-half-up,true,%s,23:00,3,cn,derived,31000001,%s,%s\n", f[0], f[1], f[2], to)
	}
	return []byte(w.String())
}

func (p *play) writeTerms() {
	if p.b != nil {
		p.b.write("register/contracts.csv", p.contractsCSV())
	}
}

// begin opens the shop.
func (p *play) begin() {
	if p.b == nil {
		p.b = p.open()
	}
}

func (p *play) open() *books {
	p.t.Helper()
	b := &books{t: p.t, root: p.t.TempDir()}
	text := strings.NewReplacer(p.config...).Replace(shopConfig)
	b.write("config.yaml", []byte(strings.Replace(text, "GO_LIVE", monday, 1)))
	for name, text := range shopRegister {
		b.write("register/"+name+".csv", []byte(text))
	}
	b.write("register/contracts.csv", p.contractsCSV())
	for name, data := range p.extra {
		b.write(name, data)
	}
	for _, s := range []string{"pos", "ums", "bank"} {
		if err := os.MkdirAll(filepath.Join(b.root, "inbox", s), 0o755); err != nil {
			p.t.Fatal(err)
		}
	}
	b.load()
	b.at(day(0), "00:00")
	return b
}

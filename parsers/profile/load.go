package profile

import (
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // zones must be known on machines without a zone database

	"daozhang/parsers"
	"daozhang/parsers/txn"
)

// Load compiles a profile. The name is only for messages, which carry line and column. Anything that the engine
// does not know or has not built is an error: a profile never means less than it says.
func Load(name string, src []byte) (*Profile, error) {
	var s spec
	doc, err := decode(name, src, &s)
	if err != nil {
		return nil, err
	}
	c := &compiler{doc: doc, spec: &s, p: &Profile{delimited: s.Delimited, fixed: s.Fixed, overflow: -1}}
	for _, step := range []func() error{c.head, c.shape, c.matching, c.columns, c.entries, c.trailers, c.checks, c.statement, c.finish} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return c.p, nil
}

type compiler struct {
	doc  *document
	spec *spec
	p    *Profile
}

func (c *compiler) head() error {
	s, p := c.spec, c.p
	if s.Version != 1 {
		return c.doc.fail(fmt.Sprintf("version %d is not known; write version: 1", s.Version), "version")
	}
	for i, v := range []any{s.Worksheet, s.JSON, s.XML, s.Join, s.Header} {
		if key := []string{"worksheet", "json", "xml", "join", "header"}[i]; v != nil {
			return c.doc.fail(key+" is not implemented in version 1 of profiles", key)
		}
	}
	if s.Name == "" || strings.Trim(s.Name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		return c.doc.fail("name: want lower-case letters, digits and _", "name")
	}
	side, ok := txn.ParseSide(s.Side)
	if !ok {
		return c.doc.fail("side: want T, A or B", "side")
	}
	p.info = parsers.Info{Name: s.Name, Title: s.Title, Side: side, Acquirer: s.Acquirer, Proof: s.Proof,
		ControlOnly: s.ControlOnly, Notices: s.Set.Kind == txn.Payout.String(), Source: s.Source}
	if p.info.Title == "" {
		p.info.Title = s.Name
	}
	zone := s.Zone
	if zone == "" {
		zone = "Asia/Shanghai"
	}
	var err error
	if p.zone, err = time.LoadLocation(zone); err != nil {
		return c.doc.fail(fmt.Sprintf("zone %q is not known; use a name such as Asia/Shanghai", zone), "zone")
	}
	p.currency = txn.CNY
	if s.Currency != "" {
		if p.currency, ok = txn.ParseCurrency(s.Currency); !ok {
			return c.doc.fail("currency: want an ISO 4217 code", "currency")
		}
	}
	switch s.Encoding {
	case "":
		p.encoding = "auto"
	case "auto", "utf-8", "gbk", "gb18030":
		p.encoding = s.Encoding
	default:
		return c.doc.fail(fmt.Sprintf("encoding %q is not implemented; want auto, utf-8, gbk or gb18030", s.Encoding), "encoding")
	}
	if !slices.Contains([]string{"", "major", "minor"}, s.Unit) {
		return c.doc.fail("unit: want major or minor", "unit")
	}
	if !slices.Contains([]string{"", "positive_is_cost", "negative_is_cost"}, s.FeeSign) {
		return c.doc.fail("fee_sign: want positive_is_cost or negative_is_cost", "fee_sign")
	}
	return nil
}

func (c *compiler) shape() error {
	s, p := c.spec, c.p
	p.limits = s.Limits
	for _, l := range []struct {
		v         *int
		def, high int
		key       string
	}{{&p.limits.Line, 64 << 10, 1 << 20, "line"}, {&p.limits.Fields, 512, 4096, "fields"}, {&p.limits.Preamble, 50, 1000, "preamble"}} {
		if *l.v == 0 {
			*l.v = l.def
		}
		if *l.v < 1 || *l.v > l.high {
			return c.doc.fail(fmt.Sprintf("limits: %s must be between 1 and %d", l.key, l.high), "limits", l.key)
		}
	}
	if (s.Delimited == nil) == (s.Fixed == nil) {
		return c.doc.fail("want exactly one of delimited and fixed")
	}
	if f := s.Fixed; f != nil {
		if f.Record < 1 || f.Record > p.limits.Line {
			return c.doc.fail("record: want the bytes of one record", "fixed", "record")
		}
		if len(f.Separator) > 1 {
			return c.doc.fail("separator: want one byte", "fixed", "separator")
		}
		if len(s.Preamble) > 0 || len(s.Trailer) > 0 {
			return c.doc.fail("preamble and trailer of fixed layouts are not implemented")
		}
		return nil
	}
	d := s.Delimited
	if len(d.Delimiter) != 1 {
		return c.doc.fail("delimiters of several bytes are not implemented; want one byte", "delimited", "delimiter")
	}
	p.sep = d.Delimiter[0]
	if p.sep >= 0x80 || p.sep == '"' || p.sep == '\n' || p.sep == '\r' || p.sep == '`' || p.sep == '.' || p.sep == '-' ||
		(p.sep >= '0' && p.sep <= '9') || (p.sep|0x20 >= 'a' && p.sep|0x20 <= 'z') {
		return c.doc.fail("this byte cannot be a delimiter", "delimited", "delimiter")
	}
	switch d.Quote {
	case "", "none":
	case `"`:
		p.quoted = true
	default:
		return c.doc.fail(`quote: want '"' or none`, "delimited", "quote")
	}
	if p.quoted && (d.Overflow != "" || d.Backtick) || d.LineBreaks && !p.quoted {
		return c.doc.fail("overflow and backtick need quote: none, line_breaks needs a quote", "delimited")
	}
	if p.quoted && p.sep > '?' {
		return c.doc.fail("this delimiter can be part of a GBK character; with quotes it is not implemented", "delimited", "delimiter")
	}
	return nil
}

func (c *compiler) matching() error {
	s, p := c.spec, c.p
	for i, n := range s.Match.Names {
		t, err := parseTemplate(n)
		if err != nil {
			return c.doc.fail(err.Error(), "match", "names", i)
		}
		p.names = append(p.names, t)
	}
	p.nameRequired = s.Match.NameRequired
	for _, w := range s.Match.Without {
		p.without = append(p.without, normalise(w))
	}
	for i, line := range s.Preamble {
		t, err := parseTemplate(line)
		if err != nil {
			return c.doc.fail(err.Error(), "preamble", i)
		}
		p.preamble = append(p.preamble, t)
	}
	return nil
}

// finish settles what needs all parts: header, overflow column, separators, proof.
func (c *compiler) finish() error {
	s, p := c.spec, c.p
	for i, h := range s.Match.Header {
		k := p.columnNamed(h)
		if k < 0 {
			return c.doc.fail(fmt.Sprintf("%s is not among the columns", h), "match", "header", i)
		}
		p.header = append(p.header, k)
	}
	if len(p.header) == 0 {
		for i, col := range p.cols {
			if !col.capture && !col.optional {
				p.header = append(p.header, i)
			}
		}
	}
	if p.fixed == nil && len(p.header) == 0 {
		return c.doc.fail("at least one column must not be optional: it makes the header", "columns")
	}
	if d := p.delimited; d != nil && d.Overflow != "" {
		if p.overflow = p.columnNamed(d.Overflow); p.overflow < 0 {
			return c.doc.fail("overflow: no such column", "delimited", "overflow")
		}
	}
	if p.fixed != nil && p.fixed.Separator != "" {
		used := make([]bool, p.fixed.Record)
		for _, col := range p.cols {
			for i := col.start; i < col.start+col.width; i++ {
				used[i] = true
			}
		}
		for i, u := range used {
			if !u {
				p.gaps = append(p.gaps, i)
			}
		}
	}
	if p.info.Proof == "" {
		p.info.Proof = "size and marker only"
		if p.required > 0 {
			p.info.Proof = "trailer"
		}
	}
	return nil
}

func (p *Profile) columnNamed(name string) int {
	return slices.IndexFunc(p.cols, func(c column) bool { return c.name == name && !c.capture })
}

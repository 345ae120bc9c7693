package config

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"daozhang/cmd/internal/fetch"
	"daozhang/parsers/txn"
	"daozhang/reconcile/calendar"
	"daozhang/reconcile/register"
)

// checkSelf holds the parts of a configuration against each other.
func (c *Config) checkSelf(r *reader) {
	if strings.ContainsAny(c.Entity, `/\:*?"<>|`) || len([]rune(c.Entity)) > 60 {
		r.problem(r.at["entity"], false, `entity becomes part of file names: at most 60 characters and none of / \ : * ? " < > |`)
	}
	if _, ok := r.at["sources"]; ok && len(c.Sources) == 0 && len(r.problems) == 0 {
		r.problem(r.at["sources"], false, "sources is empty; add at least one")
	}
	names := make([]string, len(c.Servers))
	used := map[string]bool{}
	for i, s := range c.Servers {
		names[i] = s.Name
	}
	first := map[string]int{}
	for i := range c.Sources {
		s := &c.Sources[i]
		if j, twice := first[s.Name]; twice && s.Name != "" {
			r.problem(r.at[s.path+".name"], false, "source %s stands twice, first on line %d; give each a name of its own",
				s.Name, r.at[c.Sources[j].path+".name"].line)
		} else {
			first[s.Name] = i
		}
		used[s.Server] = true
		if s.Server != "" && !slices.Contains(names, s.Server) {
			hint := "add it under servers"
			if len(names) > 0 {
				hint = didYouMean(s.Server, names)
			}
			r.problem(r.at[s.path+".server"], false, "server %s is not known; %s", s.Server, hint)
		}
		for j := range i {
			c.overlap(r, &c.Sources[j], s)
			c.paidTwice(r, &c.Sources[j], s)
		}
	}
	for _, s := range c.Servers {
		if !used[s.Name] {
			r.problem(r.at["servers."+s.Name], true, "no source uses server %s; remove it, or name it in a source", s.Name)
		}
	}
}

// overlap refuses two sources that would take the same file.
func (c *Config) overlap(r *reader, a, b *Source) {
	if a.Server != b.Server || path.Clean("/"+a.Dir) != path.Clean("/"+b.Dir) || a.Folder != b.Folder || a.Server == "" && a.Folder == "" {
		return
	}
	for i, pa := range a.Names {
		for j, pb := range b.Names {
			if meets(pa, pb) || meets(pb, pa) {
				p := r.at[b.path+".names["+itoa(j)+"]"]
				r.problem(p, false, "pattern %q takes files that %q of source %s (line %d) takes too; make the patterns differ, or the folders",
					pb, pa, a.Name, r.at[a.path+".names["+itoa(i)+"]"].line)
				return
			}
		}
	}
}

// meets reports whether a name made from one pattern fits the other.
func meets(from, to string) bool {
	p, err := fetch.CompilePattern(to)
	if err != nil {
		return false
	}
	_, ok := p.Match(exampleName(from))
	return ok
}

// exampleName is a file name that a pattern takes.
func exampleName(pattern string) string {
	var b strings.Builder
	for pattern != "" {
		switch {
		case strings.HasPrefix(pattern, "{{"), strings.HasPrefix(pattern, "}}"):
			b.WriteByte(pattern[0])
			pattern = pattern[2:]
		case pattern[0] == '{':
			body, rest, _ := strings.Cut(pattern[1:], "}")
			if _, layout, ok := strings.Cut(body, ":"); ok {
				b.WriteString(strings.NewReplacer("yyyy", "2026", "yy", "26", "MM", "01", "dd", "02").Replace(layout))
			} else {
				b.WriteString("7x")
			}
			pattern = rest
		default:
			b.WriteByte(pattern[0])
			pattern = pattern[1:]
		}
	}
	return b.String()
}

// paidTwice looks for two paying sources for one merchant and channel, as far as they say what they cover. Of one
// acquirer an unsaid merchant or channel means all of them; of two acquirers it means that nothing is known.
func (c *Config) paidTwice(r *reader, a, b *Source) {
	if !a.Pays || !b.Pays || a.Side != txn.Acquirer || b.Side != txn.Acquirer {
		return
	}
	ca, cb := a.coversAll(), b.coversAll()
	said := len(ca.Merchants) > 0 && len(cb.Merchants) > 0
	channelsSaid := len(ca.Channels) > 0 && len(cb.Channels) > 0
	if said && !share(ca.Merchants, cb.Merchants) || channelsSaid && !share(ca.Channels, cb.Channels) {
		return
	}
	if a.Acquirer != b.Acquirer && (!said || !channelsSaid) {
		return
	}
	who := "the same merchants"
	if said {
		i := slices.IndexFunc(cb.Merchants, func(m string) bool { return slices.Contains(ca.Merchants, m) })
		who = "merchant " + cb.Merchants[i]
	}
	p := c.placeIn(r, b.path+".pays")
	r.problem(p, !said, "sources %s and %s may both pay for %s; say in covers which merchants and channels each pays for, or set pays: no in the one that only witnesses",
		a.Name, b.Name, who)
}

func (c *Config) placeIn(r *reader, p string) place { return (&Config{at: r.at}).place(p) }

func share(a, b []string) bool {
	return slices.ContainsFunc(a, func(x string) bool { return slices.Contains(b, x) })
}

// coversAll is what the expected slots stand for together.
func (s *Source) coversAll() Covers {
	var all Covers
	for _, k := range s.ExpectedSlots() {
		cv := s.CoversOf(k)
		all.Merchants = append(all.Merchants, cv.Merchants...)
		all.Stores = append(all.Stores, cv.Stores...)
		all.Accounts = append(all.Accounts, cv.Accounts...)
	}
	all.Channels = s.Covers.Channels
	for _, l := range []*[]string{&all.Merchants, &all.Stores, &all.Accounts} {
		slices.Sort(*l)
		*l = slices.Compact(*l)
	}
	return all
}

// Checks are what a configuration is held against beside itself. Zero parts are not checked.
type Checks struct {
	Formats  []string // names of all formats, the user's own included
	Register *register.Register
	Now      time.Time
}

// Check finds what only the rest of the installation can tell: unknown formats, calendars and acquirers, weak
// algorithms opted in, and calendars that end soon. Warnings that Parse had are among the problems again.
func (c *Config) Check(in Checks) Problems {
	var ps Problems
	add := func(path string, warning bool, format string, args ...any) {
		p := c.place(path)
		ps = append(ps, Problem{File: c.File, Line: p.line, Column: p.column, Warning: warning, Text: fmt.Sprintf(format, args...)})
	}
	for i := range c.Sources {
		s := &c.Sources[i]
		for j, f := range s.Formats {
			if in.Formats != nil && !slices.Contains(in.Formats, f) {
				add(s.path+".formats["+itoa(j)+"]", false, "format %s is not known; %s `daozhang formats` describes each", f, didYouMean(f, in.Formats))
			}
		}
		if cal := s.Days.Calendar; cal != "" && !c.cals.Known(cal) {
			add(s.path+".days", false, "calendar %s is not known; %s", cal, didYouMean(cal, c.cals.Names()))
		}
	}
	for _, s := range c.Servers {
		if len(s.Legacy) > 0 {
			add("servers."+s.Name+".legacy", true, "server %s may use the weak algorithms %s; ask its operator for modern ones, then remove the key",
				s.Name, strings.Join(s.Legacy, ", "))
		}
	}
	ps = append(ps, c.checkRegister(in.Register)...)
	ps = append(ps, c.checkYears(in)...)
	return append(ps, c.warnings...).Sorted()
}

// checkYears warns of years that are not loaded: the current one always, the next one from 15 November, when the
// mainland's notice is out.
func (c *Config) checkYears(in Checks) Problems {
	if in.Now.IsZero() {
		return nil
	}
	now := in.Now.In(c.loc)
	years := []int{now.Year()}
	if now.Month() == time.December || now.Month() == time.November && now.Day() >= 15 {
		years = append(years, now.Year()+1)
	}
	used := map[string]bool{}
	for i := range c.Sources {
		used[c.Sources[i].Days.Calendar] = true
	}
	if in.Register != nil {
		for _, k := range in.Register.Tables().Contracts {
			if k.Cycle.Working {
				used[k.Calendar] = true
			}
		}
	}
	var ps Problems
	for _, cal := range slices.Sorted(maps.Keys(used)) {
		for _, y := range years {
			if cal == "" || !c.cals.Known(cal) || c.cals.Loaded(cal, y) {
				continue
			}
			p := c.place("calendars")
			where := "the folder " + c.Calendars
			if c.Calendars == "" {
				where = "a folder and name it with the key calendars"
			}
			ps = append(ps, Problem{File: c.File, Line: p.line, Column: p.column, Warning: true,
				Text: fmt.Sprintf("calendar %s does not hold %d, so that due dates in it stay unknown; put %s into %s",
					cal, y, calendar.FileName(cal, y), where)})
		}
	}
	return ps
}

// checkRegister compares names in the configuration and the register.
func (c *Config) checkRegister(reg *register.Register) Problems {
	if reg == nil || reg.Empty() {
		return nil
	}
	var ps Problems
	t := reg.Tables()
	for _, k := range t.Contracts {
		if k.Calendar != "" && !c.cals.Known(k.Calendar) {
			p := located(c.Register, k.Line+": ")
			p.Text = fmt.Sprintf("calendar %s is not known; %s", k.Calendar, didYouMean(k.Calendar, c.cals.Names()))
			ps = append(ps, p)
		}
	}
	warn := func(path, format string, args ...any) {
		p := c.place(path)
		ps = append(ps, Problem{File: c.File, Line: p.line, Column: p.column, Warning: true, Text: fmt.Sprintf(format, args...)})
	}
	mids, stores, accounts := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, m := range t.Merchants {
		mids[m.MID], mids[m.ExternalMID] = true, true
	}
	for _, s := range t.Stores {
		stores[s.ID] = true
	}
	for _, a := range t.Accounts {
		accounts[a.ID] = true
	}
	acquirers := reg.Acquirers()
	for i := range c.Sources {
		s := &c.Sources[i]
		if s.Side == txn.Acquirer && len(acquirers) > 0 && !slices.Contains(acquirers, s.Acquirer) {
			warn(s.path+".acquirer", "acquirer %s is not in merchants.csv; %s", s.Acquirer, didYouMean(s.Acquirer, acquirers))
		}
		cv := s.coversAll()
		for _, l := range []struct {
			key    string
			values []string
			known  map[string]bool
		}{{"merchants", cv.Merchants, mids}, {"stores", cv.Stores, stores}, {"accounts", cv.Accounts, accounts}} {
			for _, v := range l.values {
				if len(l.known) > 0 && !l.known[v] {
					warn(s.path+".covers."+l.key, "%s is not in %s.csv; add it there or correct it", v, l.key)
				}
			}
		}
	}
	return ps
}

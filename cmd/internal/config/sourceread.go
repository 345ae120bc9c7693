package config

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"daozhang/cmd/internal/fetch"
	"daozhang/parsers/txn"
)

var sourceName = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]*$`)

func plainName(s string) bool { return sourceName.MatchString(s) && len(s) <= 60 }

func (c *Config) readSources(r *reader) read {
	return r.list(func(n ast.Node, path string, _ int) {
		s := Source{EmptyDay: EmptyFile, PAN: TruncatedPAN, LookBack: 7, path: path, loc: nil,
			Complete: Complete{MinAge: time.Minute, Polls: 2, PollEvery: 5 * time.Second}}
		s.read(r)(n, path)
		c.Sources = append(c.Sources, s)
	})
}

func (s *Source) read(r *reader) read {
	fields := r.mapping(
		must("name", r.text(&s.Name)),
		must("side", r.side(&s.Side)),
		may("acquirer", r.text(&s.Acquirer)),
		may("server", r.text(&s.Server)),
		may("dir", r.text(&s.Dir)),
		may("folder", r.path(&s.Folder)),
		must("names", r.some(&s.Names)),
		may("intraday", r.texts(&s.Intraday)),
		must("formats", r.some(&s.Formats)),
		may("date", r.dateRule(s)),
		must("due", r.due(&s.Due)),
		may("days", r.days(&s.Days)),
		may("empty_day", oneOf(r, &s.EmptyDay, NoFile, EmptyFile, Either)),
		may("pays", r.truth(&s.Pays)),
		may("contains_pan", oneOf(r, &s.PAN, NoPAN, TruncatedPAN, FullPAN)),
		may("complete", r.mapping(
			may("marker", r.texts(&s.Complete.Marker)),
			may("checksum", r.texts(&s.Complete.Checksum)),
			may("ignore", r.texts(&s.Complete.Ignore)),
			may("min_age", r.duration(&s.Complete.MinAge, 0, 24*time.Hour)),
			may("polls", r.number(&s.Complete.Polls, 1, 20)),
			may("poll_every", r.duration(&s.Complete.PollEvery, 0, 10*time.Minute)))),
		may("look_back_days", r.number(&s.LookBack, 0, 366)),
		may("slot_key", r.texts(&s.SlotNames)),
		may("slots", r.slots(s)),
		may("covers", r.mapping(
			may("merchants", r.texts(&s.Covers.Merchants)),
			may("stores", r.texts(&s.Covers.Stores)),
			may("accounts", r.texts(&s.Covers.Accounts)),
			may("channels", r.texts(&s.Covers.Channels)))),
		may("zone", r.zoneName(&s.Zone, &s.loc)),
		may("currency", r.currency(&s.Currency)),
	)
	return func(n ast.Node, path string) {
		fields(n, path)
		if !r.has(path, "pays") {
			s.Pays = s.Side == txn.Acquirer
		}
		if !r.has(path, "date") {
			s.FromName = slices.ContainsFunc(s.Names, func(p string) bool { return strings.Contains(p, "{date:") })
		}
		s.check(r, n, path)
	}
}

func (r *reader) side(dst *txn.Side) read {
	return func(n ast.Node, path string) {
		s, ok := r.str(n, path)
		if !ok {
			return
		}
		if side, ok := txn.ParseSide(s); ok && len(s) > 1 {
			*dst = side
			return
		}
		r.errorf(n, "%s is %q but must be terminal, acquirer or bank", path, s)
	}
}

// dateRule reads content, name, or name with days added: name-1 for files named after the day on which they are made.
func (r *reader) dateRule(src *Source) read {
	return func(n ast.Node, path string) {
		s, ok := r.str(n, path)
		if !ok || s == "content" {
			return
		}
		shift, named := strings.CutPrefix(s, "name")
		if named && shift == "" {
			src.FromName = true
			return
		}
		days, err := strconv.Atoi(shift)
		if !named || err != nil || shift[0] != '+' && shift[0] != '-' || days < -31 || days > 31 {
			r.errorf(n, "%s is %q but must be content, name, or name with days added such as name-1", path, s)
			return
		}
		src.FromName, src.NameDays = true, days
	}
}

var dueText = regexp.MustCompile(`^\+([0-9]{1,2})(w?) ([0-9]{2}):([0-9]{2})$`)

// due reads "+1 10:00", or "+1w 10:00" for working days.
func (r *reader) due(dst *Due) read {
	return func(n ast.Node, path string) {
		s, ok := r.str(n, path)
		if !ok {
			return
		}
		m := dueText.FindStringSubmatch(s)
		if m == nil || m[3] > "23" || m[4] > "59" {
			r.errorf(n, `%s is %q but must be days after the business date and a local time, such as "+1 10:00", or "+1w 10:00" for working days`, path, s)
			return
		}
		d, _ := strconv.Atoi(m[1]) // digits, as matched
		h, _ := strconv.Atoi(m[3])
		min, _ := strconv.Atoi(m[4])
		*dst = Due{Days: d, Working: m[2] == "w", Seconds: h*3600 + min*60}
	}
}

var weekdays = map[string]time.Weekday{"mon": time.Monday, "tue": time.Tuesday, "wed": time.Wednesday, "thu": time.Thursday,
	"fri": time.Friday, "sat": time.Saturday, "sun": time.Sunday}

// days reads daily, workdays <calendar>, or a list of weekdays and dates.
func (r *reader) days(dst *Days) read {
	list := r.list(func(n ast.Node, path string, _ int) {
		s, ok := r.str(n, path)
		if !ok {
			return
		}
		if w, ok := weekdays[s]; ok {
			dst.Weekdays[w] = true
			return
		}
		d, err := txn.ParseDate(s)
		if err != nil {
			r.errorf(n, "%s is %q but must be a weekday (mon tue wed thu fri sat sun) or a date YYYY-MM-DD", path, s)
			return
		}
		dst.Dates[d] = true
	})
	return func(n ast.Node, path string) {
		if _, ok := n.(*ast.SequenceNode); ok {
			dst.Weekdays, dst.Dates = map[time.Weekday]bool{}, map[txn.Date]bool{}
			list(n, path)
			return
		}
		s, ok := r.str(n, path)
		if !ok || s == "daily" {
			return
		}
		cal, ok := strings.CutPrefix(s, "workdays ")
		if !ok {
			r.errorf(n, "%s is %q but must be daily, workdays and a calendar such as workdays cn, or a list of weekdays and dates", path, s)
			return
		}
		dst.Calendar = strings.TrimSpace(cal)
	}
}

// slots reads the values of captures, or the word any.
func (r *reader) slots(s *Source) read {
	return func(n ast.Node, path string) {
		s.Slots = map[string][]string{}
		r.pairs(n, path, func(name string, k, v ast.Node) {
			p := join(path, name)
			r.at[p] = where(k)
			if s.Slots[name] != nil || slices.Contains(s.AnyOf, name) {
				r.errorf(k, "key %s stands twice in %s; keep one of them", name, path)
				return
			}
			if word, ok := v.(*ast.StringNode); ok && word.Value == "any" {
				s.AnyOf = append(s.AnyOf, name)
				return
			}
			var values []string
			r.some(&values)(v, p)
			slices.Sort(values)
			s.Slots[name] = values
		})
		slices.Sort(s.AnyOf)
	}
}

// check looks at one source as a whole.
func (s *Source) check(r *reader, n ast.Node, path string) {
	at := func(key string) place {
		if p, ok := r.at[join(path, key)]; ok {
			return p
		}
		return where(n)
	}
	bad := func(key, format string, args ...any) { r.problem(at(key), false, format, args...) }
	if s.Name != "" && !plainName(s.Name) {
		bad("name", "source name %q must consist of at most 60 small letters, digits, _ - and ., a letter or digit first", s.Name)
	}
	s.checkPlace(bad, r.has(path, "server"), r.has(path, "folder"), r.has(path, "dir"))
	switch {
	case s.Side == txn.Acquirer && !r.has(path, "acquirer"):
		bad("side", "an acquirer source needs the key acquirer, the name that the register uses, e.g. chinaums")
	case s.Side != txn.Acquirer && s.Side != txn.NoSide && r.has(path, "acquirer"):
		bad("acquirer", "acquirer has no meaning for a %s source; remove it", sideWord(s.Side))
	}
	if s.Pays && s.Side != txn.Acquirer && s.Side != txn.NoSide {
		bad("pays", "only acquirer sources pay; remove the line")
	}
	if s.PAN == FullPAN {
		bad("contains_pan", "files with full card numbers are refused as long as the archive cannot be encrypted; ask the sender for truncated numbers")
	}
	for i, ch := range s.Covers.Channels {
		if _, ok := txn.ParseChannel(ch); !ok {
			bad("covers.channels["+itoa(i)+"]", "channel %q is not known; %s", ch, didYouMean(ch, channelNames))
		}
	}
	s.checkNames(r, path, bad)
}

var channelNames = []string{"card", "wechat", "alipay", "unionpay_qr", "online", "other"}

func sideWord(s txn.Side) string {
	switch s {
	case txn.Terminal:
		return "terminal"
	case txn.Acquirer:
		return "acquirer"
	case txn.Bank:
		return "bank"
	}
	return "?"
}

func (s *Source) checkPlace(bad func(string, string, ...any), server, folder, dir bool) {
	switch {
	case server && folder:
		bad("folder", "a source lies on a server or in a folder, not both; remove server and dir, or folder")
	case !server && !folder:
		bad("", "source %s has no place; give server and dir, or folder", s.Name)
	case server && !dir:
		bad("server", "source %s has a server but no dir; add the folder on the server, e.g. dir: /out", s.Name)
	case folder && dir:
		bad("dir", "dir is the folder on a server; a local place is the key folder alone")
	}
}

// checkNames compiles the patterns and holds captures, slot key, slots and covers against each other.
func (s *Source) checkNames(r *reader, path string, bad func(string, string, ...any)) {
	var common []string // captures that every pattern has
	for i, text := range s.Names {
		key := "names[" + itoa(i) + "]"
		p, err := fetch.CompilePattern(text)
		if err != nil {
			bad(key, "%v", err)
			return
		}
		s.patterns = append(s.patterns, p)
		if s.FromName && !p.HasDate() {
			bad(key, "the business date is to come from the name, but pattern %q has no {date:yyyyMMdd}; add it, or write date: content", text)
		}
		caps := captures(text)
		if i == 0 {
			common = caps
		} else if !slices.Equal(common, caps) && !r.has(path, "slot_key") {
			bad(key, "pattern %q has the captures %s but the first has %s, so that their slots cannot be told apart; use the same captures, or name those of the slot under slot_key",
				text, list(caps), list(common))
			return
		}
		common = slices.DeleteFunc(slices.Clone(common), func(c string) bool { return !slices.Contains(caps, c) })
	}
	for i, text := range s.Intraday {
		switch {
		case s.Side != txn.Bank:
			bad("intraday", "only a bank's statements are drawn during the day; %s is of side %s", s.Name, s.Side)
		case !slices.Contains(s.Names, text):
			bad("intraday["+itoa(i)+"]", "pattern %q is none of names; write it there as well, before those that its files match too", text)
		}
	}
	if !r.has(path, "slot_key") {
		s.SlotNames = common
	}
	slices.Sort(s.SlotNames)
	for _, c := range s.SlotNames {
		switch {
		case !slices.Contains(common, c):
			bad("slot_key", "slot key %s is not a capture of every name pattern; captures are %s", c, list(common))
		case s.Slots[c] == nil && !slices.Contains(s.AnyOf, c) && !r.has(path, "slots."+c):
			bad("names", "capture %s is part of the slot key, but slots does not say which values each day must bring; add slots: {%s: [...]}, or {%s: any}", c, c, c)
		}
	}
	for c := range s.Slots {
		if !slices.Contains(s.SlotNames, c) {
			bad("slots."+c, "slots names %s, which is no capture of the slot key; captures are %s", c, list(s.SlotNames))
		}
	}
	for _, c := range s.AnyOf {
		if !slices.Contains(s.SlotNames, c) {
			bad("slots."+c, "slots names %s, which is no capture of the slot key; captures are %s", c, list(s.SlotNames))
		}
	}
	s.checkReferences(bad)
}

func (s *Source) checkReferences(bad func(string, string, ...any)) {
	for key, values := range map[string][]string{"merchants": s.Covers.Merchants, "stores": s.Covers.Stores, "accounts": s.Covers.Accounts} {
		for i, v := range values {
			for _, ref := range reference.FindAllStringSubmatch(v, -1) {
				if !slices.Contains(s.SlotNames, ref[1]) {
					bad("covers."+key+"["+itoa(i)+"]", "{%s} is no capture of the slot key; captures are %s", ref[1], list(s.SlotNames))
				}
			}
		}
	}
}

var capture = regexp.MustCompile(`\{\{|\{([a-z][a-z0-9_]*)\}`)

// captures are the names in a pattern that may be part of a slot key, sorted.
func captures(pattern string) []string {
	var names []string
	for _, m := range capture.FindAllStringSubmatch(pattern, -1) {
		if m[1] != "" && m[1] != "ts" && m[1] != "run" {
			names = append(names, m[1])
		}
	}
	slices.Sort(names)
	return names
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

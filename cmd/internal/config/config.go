package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"daozhang/parsers/txn"
	"daozhang/reconcile/calendar"
)

// Version is the version of the configuration that this program reads.
const Version = 1

// Lang is the language of what people see.
type Lang string

// Languages.
const (
	Chinese Lang = "zh-CN"
	English Lang = "en"
)

// Cards says which digits of a card number are kept: one format for the whole installation.
type Cards string

// Truncations.
const (
	Last4      Cards = "last4"
	First6Last Cards = "first6last4"
)

// Config is a checked configuration with its defaults filled in. Paths are absolute, or relative to the working folder
// if the configuration's own path is.
type Config struct {
	File     string // the configuration's own path
	Entity   string
	Zone     string // of the entity: its days and the times of due, schedule and reports
	Currency txn.Currency
	Lang     Lang
	GoLive   txn.Date // first business date

	State     string // folder of database, archive and carry files
	Reports   string
	Register  string
	Calendars string   // folder of the user's calendar files; empty: none
	Profiles  []string // file patterns of the user's own formats

	Cards    Cards
	Rules    Rules
	Report   Report
	Servers  []Server // by name
	Sources  []Source // in the order of the file
	Schedule Schedule
	OnFinish []string // program and arguments; empty: none
	Limits   Limits

	loc  *time.Location
	cals *calendar.Calendars
	at   map[string]place

	warnings Problems // of Parse
}

// Rules are the settings of matching and classification.
type Rules struct {
	RefundDays       int // working days until a refund must be at the acquirer
	DoublePayMinutes int
	SeqGapTolerance  int
	RetryMinutes     int
	TimeLimitMinutes int
	HistoryDays      int
	RejectsHoldRows  int           // a file with more rejected rows than this,
	RejectsHoldShare RejectedShare // and with more than this share of the rows seen, is held
}

// RejectedShare is a share of rows, counted in 1e-5: 0.1 % is 100.
type RejectedShare int

// Held reports whether a file with so many rejected rows among those seen must be held: more than both limits, or more
// than half of the rows.
func (ru Rules) Held(rejected, seen int64) bool {
	return rejected > int64(ru.RejectsHoldRows) && rejected*100_000 > seen*int64(ru.RejectsHoldShare) || rejected > seen-rejected
}

// Report are settings of what is written.
type Report struct {
	ASCIINames bool // file names of workbooks without Chinese
}

// Schedule says when serve runs.
type Schedule struct {
	Cron       string        // five fields, in the entity's zone; empty: serve is not configured
	Deadline   time.Duration // a run that lasts longer is stopped
	CatchUp    CatchUp       // what is done about times that passed while the service was down
	CatchUpMax int           // dates that one run of the service works off at most; the next one goes on
}

// CatchUp says what the service does at its start about the times of the schedule that it has missed. It never leaves
// out a date: what one day leaves open goes through each day after it.
type CatchUp string

// Ways to catch up.
const (
	CatchUpNone CatchUp = "none" // nothing at the start; the next time of the schedule brings the books up to date
	CatchUpLast CatchUp = "last" // at once, looking for files of the newest date and what look_back_days covers
	CatchUpAll  CatchUp = "all"  // at once, looking for files of every missed date
)

// Limits guard against hostile or broken files. Sizes are in MiB.
type Limits struct {
	FileMB     int // one delivery as received
	UnpackedMB int // one delivery after decompression
	Members    int // files in one archive
	Listing    int // names in one folder
	MemoryMB   int // of matching; 0: chosen from the machine
	Workers    int // 0: chosen from the machine
}

// Load reads a configuration file and the calendars it names. The error holds all problems (errors.As with Problems),
// or says why the file cannot be read. Warnings are kept for Check.
func Load(path string) (*Config, error) {
	data, err := readBounded(path, maxConfigFile)
	if err != nil {
		return nil, fmt.Errorf("configuration %s: %w; name it with --config", path, err)
	}
	c, problems := Parse(path, data)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	cals, problems := LoadCalendars(c.Calendars)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	c.bind(cals)
	return c, nil
}

// Parse reads a configuration from memory; name is its path, from which relative paths start. With errors among the
// problems the configuration is nil. Only the calendars that ship with the product are bound.
func Parse(name string, data []byte) (*Config, Problems) {
	r := &reader{file: name, dir: filepath.Dir(name), at: map[string]place{}}
	root := r.parse(data)
	if root == nil {
		return nil, r.problems
	}
	c := defaults()
	c.File, c.at = name, r.at
	c.State, c.Reports, c.Register = r.abs("state"), r.abs("reports"), r.abs("register")
	c.read(r, root)
	c.checkSelf(r)
	if r.problems.Err() != nil {
		return nil, r.problems.Sorted()
	}
	cals, err := calendar.Builtin()
	if err != nil {
		return nil, Problems{{Text: err.Error()}}
	}
	c.bind(cals)
	c.warnings = r.problems
	return c, r.problems.Sorted()
}

// defaults are the values of keys that are not given, except the paths.
func defaults() *Config {
	return &Config{
		Zone: "Asia/Shanghai", Currency: txn.CNY, Lang: Chinese, Cards: Last4,
		Rules: Rules{RefundDays: 3, DoublePayMinutes: 10, RetryMinutes: 15, TimeLimitMinutes: 10, HistoryDays: 90,
			RejectsHoldRows: 10, RejectsHoldShare: 100},
		Schedule: Schedule{Deadline: 2 * time.Hour, CatchUp: CatchUpAll, CatchUpMax: 31},
		Limits:   Limits{FileMB: 2048, UnpackedMB: 8192, Members: 1000, Listing: 100_000},
	}
}

// bind fills what is derived: zones and calendars of the sources.
func (c *Config) bind(cals *calendar.Calendars) {
	c.cals = cals
	for i := range c.Sources {
		s := &c.Sources[i]
		s.cals = cals
		if s.Zone == "" {
			s.Zone, s.loc = c.Zone, c.loc
		}
		if s.Currency == (txn.Currency{}) {
			s.Currency = c.Currency
		}
	}
}

func (c *Config) read(r *reader, root ast.Node) {
	version := 0
	r.mapping(
		must("version", r.number(&version, 1, 1<<20)),
		must("entity", r.text(&c.Entity)),
		may("zone", r.zoneName(&c.Zone, &c.loc)),
		may("currency", r.currency(&c.Currency)),
		may("lang", oneOf(r, &c.Lang, Chinese, English)),
		must("go_live", r.date(&c.GoLive)),
		may("state", r.path(&c.State)),
		may("reports", r.path(&c.Reports)),
		may("register", r.path(&c.Register)),
		may("calendars", r.path(&c.Calendars)),
		may("profiles", r.paths(&c.Profiles)),
		may("cards", oneOf(r, &c.Cards, Last4, First6Last)),
		may("rules", c.Rules.read(r)),
		may("report", r.mapping(may("ascii_names", r.truth(&c.Report.ASCIINames)))),
		may("servers", c.readServers(r)),
		must("sources", c.readSources(r)),
		may("schedule", r.mapping(
			must("cron", r.cron(&c.Schedule.Cron)),
			may("deadline", r.duration(&c.Schedule.Deadline, time.Minute, 24*time.Hour)),
			may("catch_up", oneOf(r, &c.Schedule.CatchUp, CatchUpNone, CatchUpLast, CatchUpAll)),
			may("catch_up_max", r.number(&c.Schedule.CatchUpMax, 1, 3660)))),
		may("on_finish", r.list(func(n ast.Node, path string, _ int) {
			if s, ok := r.str(n, path); ok { // the same argument may stand twice
				c.OnFinish = append(c.OnFinish, s)
			}
		})),
		may("limits", r.mapping(
			may("file_mb", r.number(&c.Limits.FileMB, 1, 1<<20)),
			may("unpacked_mb", r.number(&c.Limits.UnpackedMB, 1, 1<<20)),
			may("members", r.number(&c.Limits.Members, 1, 1<<20)),
			may("listing", r.number(&c.Limits.Listing, 1, 1<<24)),
			may("memory_mb", r.number(&c.Limits.MemoryMB, 64, 1<<20)),
			may("workers", r.number(&c.Limits.Workers, 1, 1024)))),
	)(root, "")
	if version > Version {
		r.problem(r.at["version"], false, "version is %d but this program reads version %d; get a newer program", version, Version)
	}
	if c.loc == nil {
		loc, err := time.LoadLocation(c.Zone)
		if err != nil {
			r.problem(place{}, false, "time zone %s is not known to this machine: %v; install its time-zone data", c.Zone, err)
		}
		c.loc = loc
	}
}

func (r *reader) zoneName(name *string, loc **time.Location) read {
	return func(n ast.Node, path string) {
		r.zone(loc)(n, path)
		if *loc != nil {
			*name = (*loc).String()
		}
	}
}

func (ru *Rules) read(r *reader) read {
	return r.mapping(
		may("refund_days", r.number(&ru.RefundDays, 0, 60)),
		may("double_pay_minutes", r.number(&ru.DoublePayMinutes, 0, 1440)),
		may("seq_gap_tolerance", r.number(&ru.SeqGapTolerance, 0, 1000)),
		may("retry_minutes", r.number(&ru.RetryMinutes, 0, 1440)),
		may("time_limit_minutes", r.number(&ru.TimeLimitMinutes, 0, 1440)),
		may("history_days", r.number(&ru.HistoryDays, 1, 3660)),
		may("rejects_hold", r.mapping(
			may("rows", r.number(&ru.RejectsHoldRows, 0, 1<<30)),
			may("share", r.percentage(&ru.RejectsHoldShare)))),
	)
}

// percentage reads a percentage with its sign.
func (r *reader) percentage(dst *RejectedShare) read {
	return func(n ast.Node, path string) {
		s, ok := r.str(n, path)
		if !ok {
			return
		}
		digits, percent := strings.CutSuffix(s, "%")
		v, err := txn.ParseDecimal([]byte(digits), 3)
		if !percent || err != nil || v < 0 || v > 100_000 {
			r.errorf(n, "%s is %q but must be a percentage from 0%% to 100%% with at most three decimals, such as 0.1%%", path, s)
			return
		}
		*dst = RejectedShare(v)
	}
}

// Location is the entity's time zone.
func (c *Config) Location() *time.Location { return c.loc }

// Holidays are the calendars that ship with the product together with the user's own.
func (c *Config) Holidays() *calendar.Calendars { return c.cals }

// Source finds a source by name.
func (c *Config) Source(name string) (*Source, bool) {
	i := slices.IndexFunc(c.Sources, func(s Source) bool { return s.Name == name })
	if i < 0 {
		return nil, false
	}
	return &c.Sources[i], true
}

// Server finds a server by name.
func (c *Config) Server(name string) (*Server, bool) {
	i := slices.IndexFunc(c.Servers, func(s Server) bool { return s.Name == name })
	if i < 0 {
		return nil, false
	}
	return &c.Servers[i], true
}

// place finds where a value stands, or the nearest thing around it.
func (c *Config) place(path string) place {
	for {
		if p, ok := c.at[path]; ok {
			return p
		}
		i := strings.LastIndexAny(path, ".[")
		if i < 0 {
			return place{}
		}
		path = path[:i]
	}
}

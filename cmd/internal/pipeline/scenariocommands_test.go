package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

func (p *play) commandVerbs() map[string]func(*cursor) {
	return map[string]func(*cursor){
		"at": func(c *cursor) {
			d, clock := c.day(), c.clock()
			if c.err == nil {
				p.clock(d, clock[:5])
			}
		},
		"run": p.run,
		"fetch": func(c *cursor) {
			from, to := c.period()
			p.command(c, func(ctx context.Context, e *Engine) error {
				p.fetch(ctx, e, from, to)
				return p.failed
			})
		},
		"night": func(c *cursor) {
			if d := c.day(); c.err == nil {
				p.night(d)
			}
		},
		"nights": p.nights,
		"rerun": func(c *cursor) {
			d := c.day()
			if c.err == nil {
				p.compute(d, d, false)
			}
		},
		"decide": p.decide,
		"close": func(c *cursor) {
			c.need("through")
			d := c.day()
			by, why := c.person()
			p.command(c, func(ctx context.Context, e *Engine) error { return e.CloseBooks(ctx, d, by, why) })
		},
		"reopen": func(c *cursor) {
			c.need("from")
			d := c.day()
			by, why := c.person()
			p.command(c, func(ctx context.Context, e *Engine) error { return e.ReopenBooks(ctx, d, by, why) })
		},
		"kill":    p.kill,
		"refused": p.refused,
		"shop": func(c *cursor) {
			c.need("again")
			p.b, p.waiting, p.arrivals, p.last, p.newest, p.decided = nil, nil, nil, nil, 0, false
			p.cases, p.memory = map[string]string{}, map[string]string{}
			p.begin()
		},
	}
}

func (p *play) clock(d txn.Date, clock string) {
	was := p.b.now
	p.b.at(d, clock)
	if p.b.now.Before(was) {
		p.misread(p.at, "the clock goes back")
	}
}

// person reads: by NAME, and a reason where there is one.
func (c *cursor) person() (by, why string) {
	c.need("by")
	by = c.next("a name")
	if !c.done() && c.peek() != "until" {
		why = c.next("a reason")
	}
	return by, why
}

// with opens the engine for as long as f runs. Workbooks are made only where a text speaks of bytes: they are half the work.
func (p *play) with(b *books, f func(ctx context.Context, e *Engine)) {
	p.t.Helper()
	ctx := context.Background()
	e, err := Open(ctx, b.config, Engine{Now: func() time.Time { return b.now }, Program: "daozhang test", Actor: "cron", Step: b.step, NoWorkbook: !p.workbooks,
		Sleep: func(context.Context, time.Duration) error { return nil }}, false)
	if err != nil {
		p.t.Fatal(err)
	}
	defer e.Close()
	f(ctx, e)
}

// command does something with the engine, and keeps the error for the end of the statement.
func (p *play) command(c *cursor, f func(ctx context.Context, e *Engine) error) {
	if c.err != nil {
		return
	}
	p.with(p.b, func(ctx context.Context, e *Engine) { p.failed = f(ctx, e) })
}

func (p *play) yesterday() txn.Date { return txn.DateOf(p.b.now.In(p.b.config.Location())) - 1 }

func (p *play) run(c *cursor) {
	target := p.yesterday()
	if c.take("through") {
		target = c.day()
	}
	if c.err == nil {
		p.compute(target, 0, true)
	}
}

func (p *play) night(d txn.Date) {
	p.clock(d+1, "12:00")
	p.compute(d, 0, true)
}

func (p *play) nights(c *cursor) {
	from, to := c.period()
	files := c.take("with", "files")
	for d := from; d <= to && c.err == nil && p.failed == nil; d++ {
		if files {
			p.usual(c, d, nil)
		}
		p.night(d)
	}
}

// compute fetches, unless told not to, and runs what is not current, and what is asked for.
func (p *play) compute(target, asked txn.Date, fetch bool) {
	p.last = nil
	p.with(p.b, func(ctx context.Context, e *Engine) {
		if fetch {
			p.fetch(ctx, e, target, target)
		}
		var plan []Planned
		if p.failed == nil {
			plan, p.failed = p.plan(ctx, e, target, asked)
		}
		if p.failed == nil {
			p.last, p.failed = e.Run(ctx, plan, p.b.now, nil)
		}
	})
	if p.failed == nil {
		p.newest = max(p.newest, target)
	}
}

// plan is the only place that asks what is to be computed.
func (p *play) plan(ctx context.Context, e *Engine, target, asked txn.Date) ([]Planned, error) {
	q := Request{To: target, AsOf: p.b.now}
	if asked != 0 {
		q.From, q.Asked = asked, true
	}
	return e.Plan(ctx, q)
}

func (p *play) fetch(ctx context.Context, e *Engine, from, to txn.Date) {
	if _, err := e.Fetch(ctx, from, to+1); err != nil {
		p.failed = err
		return
	}
	if len(p.waiting) > 0 {
		p.arrivals = append(p.arrivals, arrival{p.b.now, from, to, p.waiting})
		p.waiting = nil
	}
}

func (p *play) decide(c *cursor) {
	id := p.caseOf(c, c.next("a case"))
	p.decided = true
	v := Verdict{Case: id, Status: reconcile.DecisionStatus(c.next("a status"))}
	if !slices.Contains(reconcile.DecisionStatuses(), v.Status) {
		c.fail("%q is no status of a decision", v.Status)
	}
	v.By, v.Reason = c.person()
	if c.take("until") {
		v.Until = c.day()
	}
	p.command(c, func(ctx context.Context, e *Engine) error {
		_, err := e.Decide(ctx, v)
		return err
	})
}

func (p *play) caseOf(c *cursor, label string) string {
	id := p.cases[label]
	if id == "" {
		c.fail("no line above says which case is %s", label)
	}
	return id
}

// refused expects that the command behind the colon fails and says so.
func (p *play) refused(c *cursor) {
	want := c.next("what the error says")
	c.need(":")
	p.one(c, p.at)
	if c.err != nil || isUnbuilt(p.failed) {
		return
	}
	if p.failed == nil {
		p.wrong(p.at, "it was done")
	} else if !strings.Contains(p.failed.Error(), want) {
		p.wrong(p.at, "it is refused with %q", p.failed)
	}
	p.failed = nil
}

// kill plays a command, and at the first and at a later occurrence of every step keeps what a process that is killed
// there leaves on the disk. The same command again must come to the same bytes from each of them. (What a real SIGKILL
// leaves is the same; TestSoak of cmd/daozhang sends it.)
func (p *play) kill(c *cursor) {
	c.need("at", "each", "step", ":")
	words, before := slices.Clone(c.words), *p
	seen := map[string]int{}
	left := map[string]string{}
	var digests []string
	p.b.step = func(step string) {
		if seen[step]++; seen[step] != 1 && seen[step] != 7 {
			return
		}
		// Most steps of one transaction leave the same bytes.
		name, sum := fmt.Sprintf("%s, occurrence %d", step, seen[step]), digestOf(p.t, p.b.root)
		if slices.Contains(digests, sum) {
			return
		}
		digests = append(digests, sum)
		left[name] = filepath.Join(p.t.TempDir(), "left")
		if err := os.CopyFS(left[name], os.DirFS(p.b.root)); err != nil {
			p.t.Error(err)
		}
	}
	p.one(c, p.at)
	p.b.step = nil
	if c.err != nil || p.failed != nil {
		return
	}
	passed := RunSteps()
	if words[0] == "decide" {
		passed = DecideSteps()
	}
	for _, step := range passed {
		if seen[step] == 0 && (words[0] == "decide" || len(p.waiting)+len(before.waiting) > 0) {
			p.wrong(p.at, "step %s was never reached", step)
		}
	}
	want, told := fingerprint(p.t, p.b), p.lastChanged(p.b)
	for _, step := range sortedKeys(left) {
		again := before
		again.b = &books{t: p.t, root: left[step], now: p.b.now}
		again.b.load()
		again.waiting = nil
		again.one(&cursor{words: slices.Clone(words)}, p.at)
		if words[0] == "decide" && again.failed != nil && strings.Contains(again.failed.Error(), "is taken by another decision") {
			again.failed = nil // the very decision, made at the very instant, stands already
		}
		if again.failed != nil {
			p.wrong(p.at, "killed at %s, the same command again fails: %v", step, again.failed)
		} else if got := fingerprint(p.t, again.b); got != want {
			p.wrong(p.at, "killed at %s, the same command again comes to something else:\n%s", step, firstDifference(want, got))
		} else if got := p.lastChanged(again.b); got != told {
			p.wrong(p.at, "killed at %s, the same command again says that it changed %s, not %s", step, got, told)
		}
	}
}

// lastChanged is what status tells of the last command.
func (p *play) lastChanged(b *books) (out string) {
	p.with(b, func(ctx context.Context, e *Engine) {
		ds, err := e.LastCascade(ctx)
		if err != nil {
			p.t.Fatal(err)
		}
		for _, d := range ds {
			out += fmt.Sprintf("%s r%d -> r%d %s %v; ", dayName(d.Date), d.Former, d.Revision, d.Verdict, d.Classes)
		}
	})
	return out
}

// digestOf is a digest of all that a folder holds, but for what SQLite keeps in shared memory.
func digestOf(t *testing.T, root string) string {
	t.Helper()
	h := sha256.New()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "-shm") {
			return err
		}
		fmt.Fprintf(h, "\x00%s\x00", path)
		if d.Type()&fs.ModeSymlink != 0 {
			to, err := os.Readlink(path)
			fmt.Fprint(h, to)
			return err
		}
		data, err := os.ReadFile(path)
		h.Write(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(h.Sum(nil))
}

package main

import (
	"io"
	"log/slog"
	"regexp"
	"time"

	"github.com/robfig/cron/v3"

	"daozhang/cmd/internal/config"
)

// The schedule is compared with the wall clock of the configured zone, written as if it were UTC. Such a clock has
// neither gaps nor repetitions, so a time that the change to summer time skips fires at the first moment after the gap,
// and one that comes twice in autumn fires once.

// reach is how far back a fire is sought: schedules that fire less often than this do not exist (29 February).
const reach = 9 * 366 * 24 * time.Hour

// timetable knows the times of a schedule in its zone.
type timetable struct {
	fire cron.Schedule // on the wall clock as if it were UTC
	loc  *time.Location
}

func newTimetable(cfg *config.Config) (timetable, error) {
	fire, err := config.CompileCron(cfg.Schedule.Cron, time.UTC)
	return timetable{fire, cfg.Location()}, err
}

// lastFire is the newest fire at or before now; zero if there is none.
func (s timetable) lastFire(now time.Time) time.Time {
	wall := naive(now, s.loc)
	// Step back in growing spans until one holds a fire, then walk forward through it.
	for back := time.Hour; ; back *= 2 {
		f := s.fire.Next(wall.Add(-back - time.Second))
		if f.IsZero() || f.After(wall) {
			if back > reach {
				return time.Time{}
			}
			continue
		}
		for next := s.fire.Next(f); !next.IsZero() && !next.After(wall); next = s.fire.Next(f) {
			f = next
		}
		return instant(f, s.loc)
	}
}

// nextFire is the first fire after now.
func (s timetable) nextFire(now time.Time) time.Time {
	return instant(s.fire.Next(naive(now, s.loc)), s.loc)
}

// nextFires are the first n fires after now. A time that comes twice in autumn, or is skipped in spring, counts once.
func (s timetable) nextFires(now time.Time, n int) []time.Time {
	var out []time.Time
	for wall := s.fire.Next(naive(now, s.loc)); len(out) < n && !wall.IsZero(); wall = s.fire.Next(wall) {
		if at := instant(wall, s.loc); at.After(now) && (len(out) == 0 || at.After(out[len(out)-1])) {
			out = append(out, at)
		}
	}
	return out
}

// naive is the wall clock of loc at t, as a time in UTC.
func naive(t time.Time, loc *time.Location) time.Time {
	t = t.In(loc)
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
}

// instant is when the wall clock of loc shows what w shows: the first time if it comes twice, the end of the gap if it
// never comes.
func instant(w time.Time, loc *time.Location) time.Time {
	if w.IsZero() {
		return w
	}
	// The zone's offsets a day before and a day after are all that may be in force at w.
	var first time.Time
	for _, day := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
		_, offset := w.Add(day).In(loc).Zone()
		t := w.Add(-time.Duration(offset) * time.Second).In(loc)
		if naive(t, loc).Equal(w) && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	if !first.IsZero() {
		return first
	}
	// In a gap: the first moment whose wall clock is not before w.
	lo, hi := w.Add(-36*time.Hour), w.Add(36*time.Hour)
	for hi.Sub(lo) > time.Second {
		mid := lo.Add(hi.Sub(lo) / 2).Truncate(time.Second)
		if naive(mid, loc).Before(w) {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi.In(loc)
}

// cardLike finds what may be a whole card number.
var cardLike = regexp.MustCompile(`\b\d{13,19}\b`)

// newLog writes one line per event. Texts from outside are quoted by the handler where they hold anything unusual, so
// that a hostile file name cannot forge a line; what looks like a whole card number is cut to its last four digits.
func newLog(w io.Writer, now func() time.Time, verbose bool) *slog.Logger {
	level := slog.LevelInfo
	if verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		switch {
		case a.Key == slog.TimeKey:
			a.Value = slog.TimeValue(now())
		case a.Value.Kind() == slog.KindString:
			a.Value = slog.StringValue(hideCards(a.Value.String()))
		}
		return a
	}}))
}

func hideCards(s string) string {
	return cardLike.ReplaceAllStringFunc(s, func(n string) string {
		if !luhn(n) {
			return n
		}
		return "****" + n[len(n)-4:]
	})
}

// luhn checks the check digit of a card number.
func luhn(n string) bool {
	sum := 0
	for i := range len(n) {
		d := int(n[len(n)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// cronLog lets the cron library speak through our log. Its chatter about skipped wakes is for --verbose.
type cronLog struct{ log *slog.Logger }

func (l cronLog) Info(msg string, kv ...any) { l.log.Debug("cron: "+msg, kv...) }

func (l cronLog) Error(err error, msg string, kv ...any) {
	l.log.Error("cron: "+msg, append([]any{"error", err.Error()}, kv...)...)
}

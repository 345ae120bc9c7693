package fetch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"daozhang/parsers/txn"
)

// run is one fetch of one source.
type run struct {
	f       *Fetcher
	src     Source
	window  Window
	only    string // the single name of an import
	remote  Remote
	entries map[string]Entry  // newest look
	listed  map[string]string // lower-case name -> name
	wanted  []*Decision
	skipped []Decision
	caps    map[string]Captures
	report  Report
}

// Fetch lists the source's folder, decides about every name, and lands what is wanted and whole.
//
// One bad file never stops the others. The error is nil only if the folder was listed to its end and no wanted file
// failed; it joins classified *Error values, see ClassOf. The report is filled as far as the fetch came.
func (f *Fetcher) Fetch(ctx context.Context, src Source, window Window) (Report, error) {
	return f.fetch(ctx, src, window, "")
}

// Import lands one local file as if source src had listed it: the same names, checks and steps. Its date and slot key
// come from the source's patterns.
func (f *Fetcher) Import(ctx context.Context, src Source, dir, name string) (Report, error) {
	src.Place, src.Dir = Folder{dir}, ""
	rep, err := f.fetch(ctx, src, Window{}, name)
	if err == nil && len(rep.Decisions) == 0 {
		err = &Error{Class: ClassVanished, Op: "import", Place: dir, Path: name, Err: errors.New("no such file")}
	}
	return rep, err
}

func (f *Fetcher) fetch(ctx context.Context, src Source, window Window, only string) (Report, error) {
	if err := src.Check(); err != nil {
		return Report{Source: src.Name}, &Error{Class: ClassPermanent, Op: "configuration", Place: src.Name, Err: err}
	}
	r := &run{f: f, src: src.withDefaults(), window: window, only: only, caps: map[string]Captures{},
		report: Report{Source: src.Name}}
	defer r.hangUp()
	if err := r.list(ctx); err != nil {
		return r.report, err
	}
	r.report.Listed = len(r.entries)
	r.decide()
	err := r.settle(ctx)
	if err == nil {
		err = r.takeAll(ctx)
	}
	r.finish()
	return r.report, err
}

func (f *Fetcher) now() time.Time {
	if f.Now == nil {
		return time.Now()
	}
	return f.Now()
}

func (f *Fetcher) sleep(ctx context.Context, d time.Duration) error {
	if f.Sleep != nil {
		return f.Sleep(ctx, d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *run) hangUp() {
	if r.remote != nil {
		_ = r.remote.Close()
		r.remote = nil
	}
}

// try runs op on a living connection, again and again as the source's Retry allows, while its errors are of a class
// that may pass.
func (r *run) try(ctx context.Context, op func(Remote) error) error {
	wait := r.src.Retry.Base
	for attempt := 1; ; attempt++ {
		err := r.once(ctx, op)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil || !retryable(ClassOf(err)) || attempt >= r.src.Retry.Attempts {
			return err
		}
		r.hangUp() // what went wrong may be the connection
		if err := r.f.sleep(ctx, wait); err != nil {
			return fail("wait", r.src.Place.Place(), "", err)
		}
		wait = min(2*wait, r.src.Retry.Max)
	}
}

func (r *run) once(ctx context.Context, op func(Remote) error) error {
	if r.remote == nil {
		remote, err := r.src.Place.Dial(ctx)
		if err != nil {
			return err
		}
		r.remote = remote
		r.report.Peer = remote.Peer()
	}
	return op(r.remote)
}

// list looks at the folder.
func (r *run) list(ctx context.Context) error {
	var found []Entry
	err := r.try(ctx, func(remote Remote) error {
		var err error
		found, err = remote.List(ctx, r.src.Dir)
		return err
	})
	if err == nil && len(found) > r.src.MaxNames {
		err = &Error{Class: ClassPermanent, Op: "list", Place: r.src.Place.Place(), Path: r.src.Dir,
			Err: fmt.Errorf("%d names in the folder, %d are allowed; raise the limit or clear the folder", len(found), r.src.MaxNames)}
	}
	if err != nil {
		return err
	}
	r.entries = make(map[string]Entry, len(found))
	r.listed = make(map[string]string, len(found))
	for _, e := range found {
		r.entries[e.Name] = e
		r.listed[strings.ToLower(e.Name)] = e.Name
	}
	return nil
}

// decide sorts the names into those wanted and those not.
func (r *run) decide() {
	for name, e := range r.entries {
		if r.only != "" && name != r.only {
			continue
		}
		d := Decision{Name: name, Size: e.Size, MTime: e.MTime}
		c := r.judge(&d, e)
		if d.Verdict != "" {
			r.skipped = append(r.skipped, d)
			continue
		}
		r.caps[name] = c
		r.wanted = append(r.wanted, &d)
	}
	// The older file lands first, so that of two for one slot the newer one wins.
	slices.SortFunc(r.wanted, func(a, b *Decision) int { return cmp.Or(a.MTime.Compare(b.MTime), strings.Compare(a.Name, b.Name)) })
}

// judge sets a verdict for a name that is not to be fetched now, and leaves it empty for one that is.
func (r *run) judge(d *Decision, e Entry) Captures {
	set := func(v Verdict, reason, why string) Captures {
		d.Verdict, d.Reason, d.Why = v, reason, why
		return Captures{}
	}
	if why := hostileName(d.Name); why != "" {
		return set(Refused, "hostile-name", why)
	}
	if why := temporaryName(d.Name); why != "" {
		return set(Skipped, "temporary-name", "still being written: "+why)
	}
	if r.src.Complete.accompanies(d.Name) {
		return set(Skipped, "marker", "marker or checksum of another file")
	}
	c, why := r.match(d.Name)
	switch {
	case why == "name":
		return set(Skipped, "no-pattern", "no pattern of the source matches")
	case why != "":
		return set(Skipped, "no-date", why)
	case !e.Mode.IsRegular():
		return set(Refused, "not-a-file", "not a regular file: "+e.Mode.Type().String())
	}
	d.Date, d.SlotKey = c.Date, c.SlotKey(r.src.SlotKey...)
	if out := r.outside(c.Date); out != "" {
		return set(Skipped, "outside-window", out)
	}
	if e.Size > r.src.MaxSize {
		return set(Refused, "too-large", fmt.Sprintf("%d bytes, %d are allowed", e.Size, r.src.MaxSize))
	}
	if r.f.Known != nil {
		if sha, ok := r.f.Known(r.src.Name, d.Name, e.Size, e.MTime); ok && r.f.Archive.Has(sha) {
			d.SHA256 = sha
			return set(Have, "known", "landed before, same size and time")
		}
	}
	return c
}

func (r *run) match(name string) (Captures, string) {
	worst := "name"
	for _, p := range r.src.Patterns {
		c, why := p.match(name)
		if why == "" {
			ref := r.window.To
			if ref == 0 {
				ref = r.window.From
			}
			if ref == 0 {
				ref = txn.DateOf(r.f.now())
			}
			return c.Near(ref), ""
		}
		if why != "name" {
			worst = why
		}
	}
	return Captures{}, worst
}

// outside says why a date is not in the window, look-back included.
func (r *run) outside(d txn.Date) string {
	from := r.window.From
	if from != 0 {
		from -= txn.Date(r.src.LookBack)
	}
	switch {
	case d == 0:
		return ""
	case from != 0 && d < from:
		return fmt.Sprintf("%s is before %s", d, from)
	case r.window.To != 0 && d > r.window.To:
		return fmt.Sprintf("%s is after %s", d, r.window.To)
	}
	return ""
}

// finish orders the report and adds warnings.
func (r *run) finish() {
	r.report.Decisions = slices.Clone(r.skipped)
	for _, d := range r.wanted {
		r.report.Decisions = append(r.report.Decisions, *d)
		if left, ok := r.retained(*d); ok {
			r.report.Warnings = append(r.report.Warnings, fmt.Sprintf(
				"%s is %s and the vendor deletes it in %s: fetch it by hand if this goes on", quoteName(d.Name), d.Verdict, left))
		}
	}
	slices.SortFunc(r.report.Decisions, func(a, b Decision) int { return strings.Compare(a.Name, b.Name) })
	for i := 1; i < len(r.wanted); i++ {
		if a, b := r.wanted[i-1].Name, r.wanted[i].Name; strings.EqualFold(a, b) {
			r.report.Warnings = append(r.report.Warnings, fmt.Sprintf("%s and %s differ in case only", quoteName(a), quoteName(b)))
		}
	}
}

// retained tells how long a file that is not landed stays on the server, if that is two days or less.
func (r *run) retained(d Decision) (string, bool) {
	if r.src.Retention <= 0 || d.Verdict != Waiting && d.Verdict != Failed {
		return "", false
	}
	left := d.MTime.AddDate(0, 0, r.src.Retention).Sub(r.f.now())
	if left > 48*time.Hour {
		return "", false
	}
	return fmt.Sprintf("%d hours", max(0, int(left.Hours()))), true
}

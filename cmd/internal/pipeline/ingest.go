package pipeline

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"daozhang/cmd/internal/config"
	"daozhang/cmd/internal/fetch"
	"daozhang/cmd/internal/store"
	"daozhang/parsers"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// SourceReport is what a fetch of one source did.
type SourceReport struct {
	Source string
	fetch.Report
	Err error
}

// Fetch lands what the sources have for the window and attaches it to slots. One bad source never stops the others; the
// error joins theirs.
func (e *Engine) Fetch(ctx context.Context, from, to txn.Date) ([]SourceReport, error) {
	f := &fetch.Fetcher{Archive: e.Archive, Now: e.Now, Sleep: e.Sleep,
		Known: func(source, name string, size int64, mtime time.Time) (string, bool) {
			sha, ok, err := e.DB.KnownRemote(ctx, source, name, size, mtime)
			return sha, ok && err == nil
		},
		Record: func(ctx context.Context, l fetch.Landed) error {
			_, err := e.DB.RecordDelivery(ctx, store.Sighting{SHA256: l.SHA256, Size: l.Size, Source: l.Source, Name: l.RemoteName,
				Modified: l.MTime, Received: l.ReceivedAt, HostKey: l.HostKey, Identity: l.Identity, Program: e.Program})
			return err
		}}
	slots := fetch.NewSlots(1)
	var out []SourceReport
	var errs []error
	for i := range e.Config.Sources {
		src := &e.Config.Sources[i]
		e.say("fetching %s", src.Name)
		fs, err := e.fetchSource(src, slots)
		var rep fetch.Report
		if err == nil {
			rep, err = f.Fetch(ctx, fs, fetch.Window{From: from, To: to})
		}
		if err != nil {
			err = fmt.Errorf("source %s: %w", src.Name, err)
			errs = append(errs, err)
		}
		out = append(out, SourceReport{src.Name, rep, err})
		for _, d := range rep.Decisions {
			if d.Verdict == fetch.Waiting || d.Verdict == fetch.Refused || d.Verdict == fetch.Failed {
				e.say("%s: %s", src.Name, d)
			}
		}
		if ctx.Err() != nil {
			break
		}
	}
	if err := e.Ingest(ctx); err != nil {
		errs = append(errs, err)
	}
	return out, errors.Join(errs...)
}

func (e *Engine) fetchSource(src *config.Source, slots *fetch.Slots) (fetch.Source, error) {
	out := fetch.Source{Name: src.Name, LookBack: src.LookBack, SlotKey: src.SlotNames, MaxSize: int64(e.Config.Limits.FileMB) << 20,
		MaxNames: e.Config.Limits.Listing, Complete: fetch.Completeness{
			Stable: len(src.Complete.Marker)+len(src.Complete.Checksum) == 0, Marker: len(src.Complete.Marker) > 0,
			Checksum: len(src.Complete.Checksum) > 0, Polls: src.Complete.Polls, Pause: src.Complete.PollEvery, MinAge: src.Complete.MinAge,
			Markers: src.Complete.Marker}}
	// The configuration has its defaults filled in: there, zero means none.
	if out.LookBack == 0 {
		out.LookBack = -1
	}
	if out.Complete.MinAge == 0 {
		out.Complete.MinAge = -1
	}
	out.Patterns = src.Patterns()
	if src.Folder != "" {
		out.Place = fetch.Folder{Path: src.Folder}
		return out, nil
	}
	s, ok := e.Config.Server(src.Server)
	if !ok {
		return out, fmt.Errorf("server %q is not configured", src.Server)
	}
	out.Dir = src.Dir
	out.Place = &fetch.SFTP{Host: s.Host, Port: s.Port, User: s.User, Keys: s.Keys, Passphrase: s.Passphrase, Password: s.Password,
		KnownHosts: s.KnownHosts, Pins: s.Pins, Legacy: s.Legacy, Depth: s.Depth, Slots: slots, Timeouts: fetch.Timeouts(s.Timeouts)}
	return out, nil
}

// Ingest opens every delivery whose files are not yet known and attaches them to their slots. It also mends what a crash
// left between landing and opening.
func (e *Engine) Ingest(ctx context.Context) error {
	// What was recorded up to then this engine has opened, and it stays opened.
	after := e.opened.Load()
	last, err := e.DB.LastSighting(ctx)
	if err != nil {
		return err
	}
	todo, err := e.DB.Unopened(ctx, after)
	if err != nil {
		return err
	}
	again, err := e.DB.Renamed(ctx, after) // the same bytes under a name of another day stand for that day too
	if err != nil {
		return err
	}
	open := e.deliveries()
	defer open.Close()
	for _, g := range append(todo, again...) {
		if err := ctx.Err(); err != nil {
			return err
		}
		src, ok := e.Config.Source(g.Source)
		if !ok {
			continue // the source was taken out of the configuration; its files stay archived
		}
		if err := e.ingest(ctx, open, src, g); err != nil {
			return fmt.Errorf("%s of source %s: %w", g.Name, g.Source, err)
		}
	}
	e.opened.Store(max(after, last))
	e.step(StepIngested)
	return nil
}

// member is a file of a delivery on its way to a slot.
type member struct {
	parsers.Member
	position int
	sha      string
	format   parsers.Format
	claim    error
}

func (e *Engine) ingest(ctx context.Context, open *deliveries, src *config.Source, g store.Sighting) error {
	caps, _ := captures(src, g.Name)
	caps = caps.Near(txn.DateOf(g.Received.In(src.Location())))
	date := caps.Date
	if src.FromName && date != 0 {
		date += txn.Date(src.NameDays)
	}
	d, err := open.get(g.SHA256, path.Base(g.Name))
	if err != nil {
		if !unreadable(err) {
			return err
		}
		// Nothing inside can be read: the delivery itself stands for the slot, which will be held.
		f := store.File{Source: src.Name, SHA256: g.SHA256, Size: g.Size, Delivery: g.SHA256, Member: path.Base(g.Name)}
		return e.settle(ctx, []store.File{f}, func() error {
			return e.attach(ctx, src, g, member{sha: g.SHA256, claim: err}, date, string(src.SlotKeyOf(caps)))
		})
	}
	members, err := e.claim(src, d, date)
	if err != nil {
		return err
	}
	files := make([]store.File, 0, len(members))
	for _, m := range members {
		f := store.File{Source: src.Name, SHA256: m.sha, Size: m.Size, Delivery: g.SHA256, Position: m.position, Member: m.Name}
		if m.Name != path.Base(g.Name) {
			f.Wrappers = "archive"
		}
		files = append(files, f)
	}
	return e.settle(ctx, files, func() error { return e.place(ctx, src, g, members, date, string(src.SlotKeyOf(caps))) })
}

// settle lets place attach the members of a delivery to their slots. Only then is the delivery recorded as opened: killed
// before that, the next command opens it again, and what is attached already stays as it is.
func (e *Engine) settle(ctx context.Context, files []store.File, place func() error) error {
	for _, f := range files {
		if err := e.DB.KnowFile(ctx, f); err != nil {
			return err
		}
	}
	e.step(StepKnown)
	if err := place(); err != nil {
		return err
	}
	e.step(StepAttached)
	_, err := e.DB.RecordFiles(ctx, files...)
	return err
}

// unreadable tells an archive that is broken from a disk that is.
func unreadable(err error) bool {
	var fe *parsers.FileError
	return errors.As(err, &fe)
}

// captures takes a file's name apart by the first of the source's patterns that it has.
func captures(src *config.Source, name string) (fetch.Captures, bool) {
	for _, p := range src.Patterns() {
		if c, ok := p.Match(path.Base(name)); ok {
			return c, true
		}
	}
	return fetch.Captures{}, false
}

// claim asks the source's formats who reads which member.
func (e *Engine) claim(src *config.Source, d *parsers.Delivery, date txn.Date) ([]member, error) {
	var out []member
	for i, m := range d.Files {
		h := sha256.New()
		if _, err := io.Copy(h, io.NewSectionReader(m.Data, 0, m.Size)); err != nil {
			return nil, err
		}
		x := member{Member: m, position: i, sha: hex.EncodeToString(h.Sum(nil))}
		x.format, x.claim = e.Formats.Detect(e.sourceOf(src, m, date), src.Formats...)
		out = append(out, x)
	}
	return out, nil
}

func (e *Engine) sourceOf(src *config.Source, m parsers.Member, date txn.Date) parsers.Source {
	return parsers.Source{Name: m.Name, Data: m.Data, Size: m.Size, Options: src.Options(e.Config.Cards, date)}
}

// place attaches the members to slots: the one that holds rows to the slot of the name, a control-only one beside it. A
// member that nobody claims is quarantined, unless it is all there is: then it stands for the slot, which will be held.
func (e *Engine) place(ctx context.Context, src *config.Source, g store.Sighting, ms []member, date txn.Date, key string) error {
	rows := slices.DeleteFunc(slices.Clone(ms), func(m member) bool { return m.format == nil || m.format.Info().ControlOnly })
	claimed := slices.ContainsFunc(ms, func(m member) bool { return m.format != nil })
	for i, m := range ms {
		switch {
		case m.format == nil && (claimed || i > 0):
			if err := e.DB.Quarantine(ctx, src.Name, m.sha, string(reconcile.F09), firstLine(m.claim)); err != nil {
				return err
			}
		case m.format != nil && m.format.Info().ControlOnly:
			if err := e.attach(ctx, src, g, m, date, key+partMark+m.format.Info().Name); err != nil {
				return err
			}
		case len(rows) > 1:
			why := fmt.Sprintf("%d files of %s stand for one slot; add a capture to the name pattern, or a format that tells them apart", len(rows), g.Name)
			if err := e.DB.Quarantine(ctx, src.Name, m.sha, string(reconcile.F10), why); err != nil {
				return err
			}
		default:
			if err := e.attach(ctx, src, g, m, date, key); err != nil {
				return err
			}
		}
	}
	return nil
}

// partMark separates a slot key from the format of a control-only file that speaks about the slot.
const partMark = "#"

// attach lets a member stand for its slot: by booking days for a bank, else by the date of its name or content.
func (e *Engine) attach(ctx context.Context, src *config.Source, g store.Sighting, m member, date txn.Date, key string) error {
	if src.Side == txn.Bank {
		return e.attachSlices(ctx, src, g, m, date, key)
	}
	if date == 0 || !src.FromName {
		var err error
		if date, err = e.contentDate(src, m, date); err != nil {
			return e.DB.Quarantine(ctx, src.Name, m.sha, string(reconcile.F09), firstLine(err))
		}
	}
	c := src.CoversOf(config.SlotKey(strings.Split(key, partMark)[0]))
	change, _, err := e.DB.AttachToSlot(ctx, store.SlotRef{Source: src.Name, Date: date, Key: key}, store.Attachment{File: m.sha,
		Delivery: g.SHA256, Arrived: g.Received, Cause: "fetched", Covers: store.Covers{Merchants: c.Merchants, Stores: c.Stores, Accounts: c.Accounts}})
	if errors.Is(err, store.ErrSlotClash) {
		return e.DB.Quarantine(ctx, src.Name, m.sha, string(reconcile.F10), firstLine(err))
	}
	if err == nil && change != store.SlotUnchanged {
		e.say("%s %s %s: %s", src.Name, date, key, change)
	}
	return err
}

// contentDate is the business date of most rows.
func (e *Engine) contentDate(src *config.Source, m member, hint txn.Date) (txn.Date, error) {
	if m.format == nil {
		return 0, m.claim
	}
	r, err := m.format.Open(e.sourceOf(src, m.Member, hint), txn.FieldsOf(txn.BusinessDateField, txn.TimeField))
	if err != nil {
		return 0, err
	}
	count := map[txn.Date]int{}
	err = eachRow(r, func(row *txn.Row) {
		d := row.Business
		if d == 0 {
			d = row.Time.Date()
		}
		count[d]++
	})
	best := txn.Date(0)
	for d, n := range count {
		if d != 0 && (best == 0 || n > count[best] || n == count[best] && d < best) {
			best = d
		}
	}
	if best == 0 {
		return 0, cmp.Or(err, fmt.Errorf("%s: no row has a date, so its business date is not known; take the date from the name", m.Name))
	}
	return best, nil
}

// eachRow reads a file to its end, past rejected records.
func eachRow(r parsers.Reader, visit func(*txn.Row)) error {
	var row txn.Row
	for {
		err := r.Next(&row)
		var bad *parsers.ParseError
		switch {
		case err == nil:
			visit(&row)
		case errors.As(err, &bad):
		case err == io.EOF:
			return nil
		default:
			return err
		}
	}
}

// intraday reports whether the first of the source's patterns that the name has is one of statements drawn during the
// day.
func intraday(src *config.Source, name string) bool {
	for i, p := range src.Patterns() {
		if _, ok := p.Match(path.Base(name)); ok {
			return slices.Contains(src.Intraday, src.Names[i])
		}
	}
	return false
}

// sliceKey is one booking day of one account.
type sliceKey struct {
	account string
	day     txn.Date
}

// attachSlices cuts a statement into booking days, each a slot of its own.
func (e *Engine) attachSlices(ctx context.Context, src *config.Source, g store.Sighting, m member, date txn.Date, key string) error {
	cuts, err := e.cut(src, m, date)
	if intraday(src, g.Name) {
		for _, c := range cuts {
			c.Final, c.Complete = false, false
		}
	}
	if err != nil || len(cuts) == 0 {
		cuts = map[sliceKey]*store.Slice{}
		if date == 0 {
			why := cmp.Or(err, fmt.Errorf("%s: no line and no date", m.Name))
			return e.DB.Quarantine(ctx, src.Name, m.sha, string(reconcile.F09), firstLine(why))
		}
		for _, a := range accountsOf(src, key) {
			cuts[sliceKey{a, date}] = &store.Slice{Digest: m.sha, From: date, To: date}
		}
	}
	all := map[store.SlotRef]store.Attachment{}
	for k, c := range cuts {
		all[store.SlotRef{Source: src.Name, Date: k.day, Key: k.account}] = store.Attachment{File: m.sha, Delivery: g.SHA256,
			Arrived: g.Received, Cause: "fetched", Covers: store.Covers{Accounts: []string{k.account}}, Slice: c}
	}
	return e.DB.AttachToSlots(ctx, src.Name, all)
}

// accountsOf are the accounts that a bank slot stands for by configuration.
func accountsOf(src *config.Source, key string) []string {
	if a := src.CoversOf(config.SlotKey(key)).Accounts; len(a) > 0 {
		return a
	}
	return []string{""}
}

// cut finds the slices of a statement. A day is complete if the stated period covers it or the file has lines on both
// sides of it.
func (e *Engine) cut(src *config.Source, m member, date txn.Date) (map[sliceKey]*store.Slice, error) {
	if m.format == nil {
		return nil, m.claim
	}
	r, err := m.format.Open(e.sourceOf(src, m.Member, date), txn.AllFields)
	if err != nil {
		return nil, err
	}
	lines := map[sliceKey][]string{}
	if err := eachRow(r, func(row *txn.Row) {
		k := sliceKey{string(row.Get(txn.Account)), row.Booking}
		lines[k] = append(lines[k], reconcile.RowKey("", row, 0)+reconcile.FactsDigest(row))
	}); err != nil {
		return nil, err
	}
	out := map[sliceKey]*store.Slice{}
	for _, st := range r.Statements() {
		for d := st.From; d <= st.To && d != 0; d++ {
			k := sliceKey{st.Account, d}
			ls := lines[k]
			slices.Sort(ls) // the lines of a slice are a bag
			h := sha256.Sum256([]byte(strings.Join(ls, "\n")))
			out[k] = &store.Slice{Lines: int64(len(ls)), Digest: hex.EncodeToString(h[:]), Complete: st.PeriodStated || d > st.From && d < st.To,
				Final: true, Statement: st.ID, From: st.From, To: st.To}
		}
	}
	for k, ls := range lines { // a line outside the period that its file states is evidence all the same
		if out[k] == nil {
			slices.Sort(ls)
			h := sha256.Sum256([]byte(strings.Join(ls, "\n")))
			out[k] = &store.Slice{Lines: int64(len(ls)), Digest: hex.EncodeToString(h[:]), Final: true, From: k.day, To: k.day}
		}
	}
	return out, nil
}

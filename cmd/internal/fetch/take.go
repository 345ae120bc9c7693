package fetch

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"time"
)

// settle decides which wanted files are whole. Files under the stable rule share the pauses between looks.
func (r *run) settle(ctx context.Context) error {
	c := r.src.Complete
	open := 0
	for _, d := range r.wanted {
		if reason, why := c.missing(d.Name, r.listed); reason != "" {
			d.Verdict, d.Reason, d.Why = Waiting, reason, why
		} else {
			open++
		}
	}
	if !c.Stable || open == 0 {
		return nil
	}
	seen := r.f.Seen
	if seen == nil {
		seen = memory{}
	}
	for looks := 1; ; looks++ {
		pause := r.look(seen)
		if pause == 0 || looks >= c.Polls {
			return nil
		}
		if err := r.f.sleep(ctx, pause); err != nil {
			return fail("wait", r.src.Place.Place(), "", err)
		}
		if err := r.list(ctx); err != nil {
			for _, d := range r.wanted {
				if d.Verdict == "" {
					d.Verdict, d.Reason, d.Why = Failed, "list", "the second listing failed"
				}
			}
			return err
		}
	}
}

// look takes the newest listing as one more look at each wanted file, and returns how long to pause before the next
// look, 0 if none is needed.
func (r *run) look(seen Seen) time.Duration {
	var pause time.Duration
	now := r.f.now()
	for _, d := range r.wanted {
		if d.Verdict != "" && d.Reason != "not-stable" {
			continue
		}
		e, there := r.entries[d.Name]
		if !there {
			d.Verdict, d.Reason, d.Why = Waiting, "vanished", "it vanished between two listings"
			continue
		}
		before, had := seen.Recall(r.src.Name, d.Name)
		s := look(before, had, e, now)
		seen.Remember(r.src.Name, d.Name, s)
		d.Verdict, d.Reason, d.Why, d.Size, d.MTime = "", "", "", e.Size, e.MTime
		if ok, wait := r.src.Complete.settled(s, now); !ok {
			pause = max(pause, wait)
			d.Verdict, d.Reason = Waiting, "not-stable"
			d.Why = fmt.Sprintf("%d bytes, unchanged for %s over %d looks, its own age %s; %d looks and an age of %s are asked",
				e.Size, now.Sub(s.First).Round(time.Millisecond), s.Looks, now.Sub(s.MTime).Round(time.Second),
				r.src.Complete.Polls, r.src.Complete.MinAge)
		}
	}
	return pause
}

// memory is the Seen of a fetcher without one.
type memory map[string]Sighting

func (m memory) Recall(_, name string) (Sighting, bool) { s, ok := m[name]; return s, ok }
func (m memory) Remember(_, name string, s Sighting)    { m[name] = s }

// takeAll lands what is whole. It goes on after errors of single files; where the place or our own disk is the
// trouble, the remaining files are not tried.
func (r *run) takeAll(ctx context.Context) error {
	var errs []error
	var stop error
	for _, d := range r.wanted {
		if d.Verdict != "" {
			continue
		}
		if stop != nil {
			d.Verdict, d.Reason, d.Why = Waiting, "not-tried", "not tried after: "+stop.Error()
			continue
		}
		err := r.take(ctx, d)
		if err == nil {
			continue
		}
		d.Verdict, d.Reason, d.Why, d.Err = Failed, ClassOf(err).String(), err.Error(), err
		errs = append(errs, err)
		switch ClassOf(err) {
		case ClassDisk, ClassHostKey, ClassAuth, ClassCancelled:
			stop = err
		}
	}
	return errors.Join(errs...)
}

// take lands one file and records it.
func (r *run) take(ctx context.Context, d *Decision) error {
	entry := r.entries[d.Name]
	var got Delivery
	var changed bool
	err := r.try(ctx, func(remote Remote) error {
		var err error
		got, err = r.land(ctx, remote, entry)
		if errors.Is(err, ErrIncomplete) && !r.src.ReadOnce {
			now, statErr := remote.Stat(ctx, remote.Join(r.src.Dir, entry.Name))
			if statErr == nil && differs(entry, now) != "" {
				changed = true
				return nil
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	if changed {
		d.Verdict, d.Reason, d.Why = Waiting, "changing", "it changed while it was fetched"
		return nil
	}
	peer := r.report.Peer
	l := Landed{Source: r.src.Name, RemoteName: d.Name, RemotePath: r.remote.Join(r.src.Dir, d.Name), Size: got.Size,
		MTime: entry.MTime, SHA256: got.SHA256, Path: got.Path, Alias: got.Alias, ReceivedAt: r.f.now(),
		Captures: r.caps[d.Name], SlotKey: d.SlotKey, Date: d.Date, HostKey: peer.HostKey, Identity: peer.Identity,
		Proof: r.src.Complete.Proof()}
	if r.f.Record != nil {
		if err := r.f.Record(ctx, l); err != nil {
			return failDisk("record", d.Name, err)
		}
	}
	r.f.Archive.step(StepRecorded)
	d.Verdict, d.Reason, d.Why, d.SHA256 = Taken, "landed", l.Proof, got.SHA256
	if got.Alias {
		d.Reason, d.Why = "alias", "the same bytes were in the archive before"
	}
	r.report.Landed = append(r.report.Landed, l)
	return nil
}

// land copies one file into the archive, proving it on the way.
func (r *run) land(ctx context.Context, remote Remote, entry Entry) (Delivery, error) {
	p := remote.Join(r.src.Dir, entry.Name)
	wrap := func(op string, err error) error { return fail(op, remote.Peer().Place, p, err) }
	meta := Meta{Name: entry.Name, Size: entry.Size}
	var sum hash.Hash
	var stated string
	if r.src.Complete.Checksum {
		var err error
		if sum, stated, err = r.sidecar(ctx, remote, entry.Name); err != nil {
			return Delivery{}, err
		}
		meta.Also = sum
	}
	file, err := remote.Open(ctx, p)
	if err != nil {
		return Delivery{}, err
	}
	closed := false
	defer func() {
		if !closed {
			_ = file.Close()
		}
	}()
	meta.Verify = func(Delivery) error {
		closed = true
		if err := file.Close(); err != nil {
			return wrap("close", err)
		}
		if sum != nil {
			if is := hex.EncodeToString(sum.Sum(nil)); is != stated {
				return wrap("verify", fmt.Errorf("%w: checksum %s, its checksum file says %s", ErrIncomplete, is, stated))
			}
		}
		if r.src.ReadOnce {
			return nil
		}
		now, err := remote.Stat(ctx, p)
		if err != nil {
			return err
		}
		if what := differs(entry, now); what != "" {
			return wrap("verify", fmt.Errorf("%w: %s while it was read", ErrIncomplete, what))
		}
		return nil
	}
	d, err := r.f.Archive.Put(ctx, file, meta)
	return d, wrap("read", err)
}

// differs says in what two looks at one file differ.
func differs(before, now Entry) string {
	switch {
	case !now.Mode.IsRegular():
		return "it became something else than a file"
	case now.Size != before.Size:
		return fmt.Sprintf("its size went from %d to %d", before.Size, now.Size)
	case !now.MTime.Equal(before.MTime):
		return fmt.Sprintf("its time went from %s to %s", before.MTime.UTC().Format(time.RFC3339), now.MTime.UTC().Format(time.RFC3339))
	}
	return ""
}

// sidecar reads the stated checksum of a file.
func (r *run) sidecar(ctx context.Context, remote Remote, name string) (hash.Hash, string, error) {
	side, suffix := beside(name, sidecarSuffixes(), r.listed)
	p := remote.Join(r.src.Dir, side)
	if e := r.entries[side]; !e.Mode.IsRegular() {
		return nil, "", fail("open", remote.Peer().Place, p, ErrNotFile)
	}
	file, err := remote.Open(ctx, p)
	if err != nil {
		return nil, "", err
	}
	sum := newSum(suffix)
	stated, err := readSidecar(file, name, sum.Size())
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, "", fail("checksum", remote.Peer().Place, p, err)
	}
	return sum, stated, nil
}

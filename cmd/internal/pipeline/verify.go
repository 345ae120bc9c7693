package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"

	"daozhang/cmd/internal/disk"
	"daozhang/cmd/internal/publish"
	"daozhang/cmd/internal/store"
	"daozhang/parsers/txn"
)

// Verification is what a check of everything kept came to.
type Verification struct {
	Full       bool
	Deliveries int64 // of the archive
	Bytes      int64 // read and hashed
	Audit      int64 // lines of the audit log
	Carries    int64
	Issues     int64
	Files      int64 // of issued reports
	Faults     []Fault
}

// Fault is one thing that is not as it was left.
type Fault struct {
	What    string // archive, provenance, audit, carry, chain, report, database
	Path    string
	Problem string
	Do      string // what to do about it
}

// Verify checks that what is kept is what was written: the archive, the provenance chain and the audit log, the carry
// files and the chain of days, every issued report. The quick check looks at every file's presence and size, at all
// chains, and at the content of the newest week; the full one reads everything, and the database as well. told may be nil.
//
// What is wrong with what is kept is a Fault; an error is of the machine.
func (e *Engine) Verify(ctx context.Context, full bool, told func(what string, done, total int64)) (*Verification, error) {
	if told == nil {
		told = func(string, int64, int64) {}
	}
	v := &verifier{e: e, ctx: ctx, full: full, told: told, out: &Verification{Full: full}}
	for _, part := range []func() error{v.chains, v.days, v.archive, v.reports, v.database} {
		if err := errors.Join(part(), ctx.Err()); err != nil {
			return nil, err
		}
	}
	return v.out, nil
}

type verifier struct {
	e      *Engine
	ctx    context.Context
	full   bool
	told   func(string, int64, int64)
	out    *Verification
	recent txn.Date // the quick check reads what is of this date or later
}

func (v *verifier) fault(what, path string, problem error, do string) {
	v.out.Faults = append(v.out.Faults, Fault{What: what, Path: path, Problem: problem.Error(), Do: do})
}

// chains recomputes the two hash chains of the database.
func (v *verifier) chains() error {
	if err := v.e.DB.VerifyDeliveries(v.ctx); err != nil {
		if !errors.Is(err, store.ErrDamaged) {
			return err
		}
		v.fault("provenance", "delivery_names", err, "restore the database from the backup before the change")
	}
	n, err := v.e.DB.VerifyAudit(v.ctx)
	if v.out.Audit = n; err != nil {
		if !errors.Is(err, store.ErrDamaged) {
			return err
		}
		v.fault("audit", "audit_log", err, "restore the database from the backup before the change")
	}
	return nil
}

// days checks the chain of days: each begins with what the one before it has handed over, and that is there.
func (v *verifier) days() error {
	runs, err := v.e.DB.Runs(v.ctx)
	if err != nil {
		return err
	}
	if len(runs) > 0 {
		v.recent = runs[len(runs)-1].Date - around
	}
	closed, err := v.e.DB.ClosedThrough(v.ctx)
	if err != nil {
		return err
	}
	for i, r := range runs {
		v.told("carry", int64(i), int64(len(runs)))
		if i > 0 && runs[i-1].Date == r.Date-1 && runs[i-1].CarryOut != r.CarryIn && r.Date <= closed {
			v.fault("chain", r.Date.String(), fmt.Errorf("it begins with carry %.12s, but %s handed over %.12s", r.CarryIn, r.Date-1, runs[i-1].CarryOut),
				"the date is closed: find out who changed the books; daozhang audit")
		}
		if err := v.carry(r); err != nil {
			return err
		}
	}
	v.told("carry", int64(len(runs)), int64(len(runs)))
	return nil
}

func (v *verifier) carry(r store.Run) error {
	v.out.Carries++
	if err := v.carryFile(r, r.CarryOut); err != nil || r.Places == "" {
		return err
	}
	return v.carryFile(r, r.Places)
}

// carryFile checks one of the two texts of a carry: what a day hands over, and where the evidence of that lies.
func (v *verifier) carryFile(r store.Run, digest string) error {
	path := v.e.Carry.Path(digest)
	if !v.full && r.Date < v.recent {
		if _, err := disk.Or(v.e.Disk).Stat(path); err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			v.fault("carry", path, errors.New("it is not there"), "restore it, or run "+r.Date.String()+" again")
		}
		return nil
	}
	n, err := v.e.Carry.Check(v.ctx, digest)
	v.out.Bytes += n
	if errors.Is(err, publish.ErrNoCarry) || errors.Is(err, publish.ErrCarryDamaged) {
		v.fault("carry", path, err, "restore it, or run "+r.Date.String()+" again")
		return nil
	}
	return err
}

// archive checks that every delivery is there as it came, and that nothing else is.
func (v *verifier) archive() error {
	known, err := v.e.DB.AllKept(v.ctx)
	if err != nil {
		return err
	}
	listed, err := v.e.Archive.List()
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, sha := range listed {
		there[sha] = true
	}
	for i, d := range known {
		v.told("archive", int64(i), int64(len(known)))
		if err := v.delivery(d, there[d.SHA256]); err != nil {
			return err
		}
	}
	v.told("archive", int64(len(known)), int64(len(known)))
	return nil
}

func (v *verifier) delivery(d store.Kept, there bool) error {
	v.out.Deliveries++
	path := filepath.Join(v.e.Archive.Dir(), d.SHA256[:2], d.SHA256)
	const do = "restore it from the backup, or fetch the same file again"
	if !there {
		v.fault("archive", path, fmt.Errorf("it is not there: %d bytes, received %s", d.Size, d.Received.UTC().Format("2006-01-02")), do)
		return nil
	}
	size, err := v.e.Archive.Stat(d.SHA256)
	if err != nil {
		return err
	}
	if size != d.Size {
		v.fault("archive", path, fmt.Errorf("it has %d bytes, %d came", size, d.Size), do)
		return nil
	}
	if !v.full && txn.DateOf(d.Received) < v.recent {
		return nil
	}
	n, err := v.e.Archive.Check(v.ctx, d.SHA256)
	v.out.Bytes += n
	if err != nil && v.ctx.Err() == nil {
		v.fault("archive", path, err, do)
		return nil
	}
	return err
}

// reports reads the issued reports again.
func (v *verifier) reports() error {
	issues, err := v.e.DB.Issues(v.ctx)
	if err != nil {
		return err
	}
	for i, s := range issues {
		v.told("report", int64(i), int64(len(issues)))
		v.out.Issues++
		folder := filepath.Join(v.e.Config.Reports, s.Date.String(), "r"+strconv.Itoa(s.Revision))
		const do = "restore the folder from the backup; a report that was issued is never made again"
		if !v.full && s.Date < v.recent {
			if _, err := disk.Or(v.e.Disk).Stat(filepath.Join(folder, publish.SumsName)); err != nil {
				v.fault("report", folder, err, do)
			}
			continue
		}
		manifest, files, n, err := publish.Verify(v.e.Disk, folder)
		v.out.Files += int64(files)
		v.out.Bytes += n
		switch {
		case errors.Is(err, publish.ErrDamaged), errors.Is(err, fs.ErrNotExist):
			v.fault("report", folder, err, do)
		case err != nil:
			return err
		case manifest != s.Manifest:
			v.fault("report", folder, fmt.Errorf("its %s has the SHA-256 %.12s, it was issued with %.12s", publish.SumsName, manifest, s.Manifest), do)
		}
	}
	return v.unissued(issues)
}

// unissued finds folders that look like reports and were never issued.
func (v *verifier) unissued(issues []store.Issue) error {
	days, err := v.e.readDir(v.e.Config.Reports)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, day := range days {
		d, err := txn.ParseDate(day.Name())
		if err != nil {
			continue
		}
		revs, err := v.e.readDir(filepath.Join(v.e.Config.Reports, day.Name()))
		if err != nil {
			return err
		}
		for _, r := range revs {
			n, err := strconv.Atoi(r.Name()[min(1, len(r.Name())):])
			if err != nil || r.Name()[0] != 'r' || slices.ContainsFunc(issues, func(s store.Issue) bool { return s.Date == d && s.Revision == n }) {
				continue
			}
			v.fault("report", filepath.Join(v.e.Config.Reports, day.Name(), r.Name()), errors.New("it was never issued by this installation"),
				"if a run was just killed, the next run ends it; else find out where it comes from")
		}
	}
	return nil
}

// database lets the database check itself.
func (v *verifier) database() error {
	if !v.full {
		return nil
	}
	err := v.e.DB.Check(v.ctx)
	if errors.Is(err, store.ErrDamaged) {
		v.fault("database", filepath.Join(v.e.Config.State, "daozhang.db"), err, "restore it from the backup together with the archive")
		return nil
	}
	return err
}

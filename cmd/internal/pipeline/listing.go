package pipeline

import (
	"context"
	"fmt"
	"time"

	"daozhang/cmd/internal/config"
	"daozhang/cmd/internal/fetch"
)

// Listing is what one source's folder shows to somebody who only looks.
type Listing struct {
	Source   string
	Place    string
	Names    int // in the folder
	Matching int // that the source's patterns take
	Newest   string
	Modified time.Time // of the newest matching name
	Peer     fetch.Peer
	Err      error
}

// List logs in to every source's place and lists its folder. Nothing is fetched, changed or recorded. One place that
// refuses does not keep the others from being looked at.
func List(ctx context.Context, cfg *config.Config) []Listing {
	e := &Engine{Config: cfg}
	slots := fetch.NewSlots(1)
	out := make([]Listing, 0, len(cfg.Sources))
	for i := range cfg.Sources {
		if ctx.Err() != nil {
			break
		}
		src := &cfg.Sources[i]
		l := Listing{Source: src.Name}
		fs, err := e.fetchSource(src, slots)
		if err == nil {
			l.Place = fs.Place.Place()
			err = l.look(ctx, src, fs)
		}
		if err != nil {
			l.Err = fmt.Errorf("source %s: %w", src.Name, err)
		}
		out = append(out, l)
	}
	return out
}

func (l *Listing) look(ctx context.Context, src *config.Source, fs fetch.Source) error {
	remote, err := fs.Place.Dial(ctx)
	if err != nil {
		return err
	}
	defer remote.Close()
	l.Peer = remote.Peer()
	entries, err := remote.List(ctx, fs.Dir)
	if err != nil {
		return err
	}
	l.Names = len(entries)
	for _, x := range entries {
		if _, ok := captures(src, x.Name); !ok || !x.Mode.IsRegular() {
			continue
		}
		l.Matching++
		if x.MTime.After(l.Modified) {
			l.Newest, l.Modified = x.Name, x.MTime
		}
	}
	return nil
}

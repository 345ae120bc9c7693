package store

import (
	"context"
	"time"

	"daozhang/parsers/txn"
)

// Kept is one delivery as it was recorded: what the archive must hold.
type Kept struct {
	SHA256   string
	Size     int64
	Received time.Time
}

// AllKept lists every delivery ever recorded, by digest.
func (s *DB) AllKept(ctx context.Context) ([]Kept, error) {
	var rows []struct {
		SHA256   string `db:"sha256"`
		Size     int64  `db:"size"`
		Received string `db:"received_at"`
	}
	if err := s.all(ctx, &rows, `SELECT sha256, size, received_at FROM deliveries ORDER BY sha256`); err != nil {
		return nil, err
	}
	var d decoder
	list := make([]Kept, 0, len(rows))
	for _, r := range rows {
		list = append(list, Kept{r.SHA256, r.Size, d.time(r.Received)})
	}
	return list, d.err
}

// LateDates lists the dates on which files for closed dates are booked.
func (s *DB) LateDates(ctx context.Context) ([]txn.Date, error) {
	var texts []string
	if err := s.all(ctx, &texts, `SELECT DISTINCT effective_on FROM slot_revisions WHERE effective_on <> '' ORDER BY effective_on`); err != nil {
		return nil, err
	}
	var d decoder
	list := make([]txn.Date, 0, len(texts))
	for _, t := range texts {
		list = append(list, d.date(t))
	}
	return list, d.err
}

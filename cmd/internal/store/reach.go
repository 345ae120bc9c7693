package store

import (
	"context"
	"fmt"
	"strings"

	"daozhang/parsers/txn"
)

// RegisterKey is the key of the input that stands for the register as it was for the run's own date.
const RegisterKey = "register"

// ReachKey is the key of the input that stands for the register as the run found it for a closed date, where that was not
// what the book of the closed date knew.
func ReachKey(closed txn.Date) string { return RegisterKey + " " + closed.String() }

// RegisterInputs is what committed runs knew of the register.
type RegisterInputs struct {
	Own  map[txn.Date]string // digest of what it said for the date itself
	Told map[txn.Date]string // of what it said for a closed date, as the latest date that told of it has it
}

// RegisterInputs reads what the books up to and with a date knew of the register.
func (s *DB) RegisterInputs(ctx context.Context, through txn.Date) (RegisterInputs, error) {
	out := RegisterInputs{Own: map[txn.Date]string{}, Told: map[txn.Date]string{}}
	var rows []struct {
		Date   string `db:"business_date"`
		Key    string `db:"input_key"`
		Digest string `db:"digest"`
	}
	err := s.all(ctx, &rows, `SELECT i.business_date, i.input_key, i.digest FROM day_runs r
		JOIN run_inputs i ON i.business_date = r.business_date AND i.run_no = r.run_no
		WHERE r.state = 'committed' AND r.business_date <= ? AND i.kind = 'register' ORDER BY i.business_date, i.input_key`, through.String())
	if err != nil {
		return out, err
	}
	for _, r := range rows {
		d, err := parseDay(r.Date)
		if err != nil {
			return out, fmt.Errorf("inputs of a run: %w", err)
		}
		closed, told := strings.CutPrefix(r.Key, RegisterKey+" ")
		if !told {
			out.Own[d] = r.Digest
			continue
		}
		of, err := parseDay(closed)
		if err != nil {
			return out, fmt.Errorf("inputs of the run of %s: %w", d, err)
		}
		out.Told[of] = r.Digest
	}
	return out, nil
}

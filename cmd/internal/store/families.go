package store

import (
	"context"
	"fmt"
	"slices"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// maxFamily bounds the ids that are looked at for one case; a real case has a handful.
const maxFamily = 1000

// family lists the ids under which the case with that id was printed, over any number of steps, the id itself first:
// what it became (alias to case) and what became it (case to alias). A chain or a circle of aliases ends. Without
// through, an id that another case of the newest books has is left out: there the two have parted again.
func (s *DB) family(ctx context.Context, id string, through bool) ([]string, error) {
	ids := []string{id}
	for i := 0; i < len(ids) && len(ids) < maxFamily; i++ {
		var next, former []string
		if err := s.all(ctx, &next, `SELECT case_id FROM case_aliases WHERE alias = ?`, ids[i]); err != nil {
			return nil, err
		}
		if len(next) > 0 && !through {
			var live []string
			if err := s.all(ctx, &live, `SELECT case_id FROM cases WHERE case_id = ?`, next[0]); err != nil {
				return nil, err
			}
			next = next[len(live):]
		}
		if err := s.all(ctx, &former, `SELECT alias FROM case_aliases WHERE case_id = ? ORDER BY alias`, ids[i]); err != nil {
			return nil, err
		}
		for _, n := range append(next, former...) {
			if !slices.Contains(ids, n) {
				ids = append(ids, n)
			}
		}
	}
	return ids, nil
}

// resolve finds the case of the newest books that has the id: what it became, if that was printed later than the id
// itself, else itself, else, where neither is in a book any more, the one of its family that was seen last.
func (s *DB) resolve(ctx context.Context, id string) (caseRow, error) {
	for at, seen := id, map[string]bool{}; !seen[at]; {
		seen[at] = true
		var rows []caseRow
		if err := s.all(ctx, &rows, selectCases+`WHERE case_id = ?`, at); err != nil {
			return caseRow{}, err
		}
		var links []struct {
			Case  string `db:"case_id"`
			Since string `db:"since"`
			Live  bool   `db:"live"`
		}
		err := s.all(ctx, &links, `SELECT a.case_id, a.since, c.case_id IS NOT NULL AS live FROM case_aliases a
			LEFT JOIN cases c ON c.case_id = a.case_id WHERE a.alias = ?`, at)
		if err != nil {
			return caseRow{}, err
		}
		if len(rows) > 0 && (len(links) == 0 || !links[0].Live || links[0].Since <= rows[0].LastSeen) {
			return rows[0], nil
		}
		if len(links) > 0 {
			at = links[0].Case
		}
	}
	ids, err := s.family(ctx, id, true)
	if err != nil {
		return caseRow{}, err
	}
	var best caseRow
	for _, one := range ids {
		var rows []caseRow
		if err := s.all(ctx, &rows, selectCases+`WHERE case_id = ?`, one); err != nil {
			return caseRow{}, err
		}
		if len(rows) > 0 && (best.ID == "" || rows[0].LastSeen > best.LastSeen) {
			best = rows[0]
		}
	}
	if best.ID == "" {
		return caseRow{}, fmt.Errorf("case %s: %w", id, ErrNotFound)
	}
	return best, nil
}

// aliases are the ids of a case of the newest books other than its own, sorted.
func (s *DB) aliases(ctx context.Context, id string) ([]string, error) {
	ids, err := s.family(ctx, id, false)
	if err != nil || len(ids) == 1 {
		return nil, err
	}
	slices.Sort(ids[1:])
	return ids[1:], nil
}

// FindCase returns the case with that id, or the one that had it before, as the newest committed book has it, with all
// its aliases, its members and the ids of its rows; ErrNotFound.
func (s *DB) FindCase(ctx context.Context, id string) (Case, error) {
	r, err := s.resolve(ctx, id)
	if err != nil {
		return Case{}, err
	}
	return s.whole(ctx, r)
}

const selectDayCases = `SELECT c.case_id, c.class, c.severity, c.status, c.lifecycle, c.first_seen, c.leg, c.acquirer, c.amount,
	c.currency, c.owner, c.due_date, c.members, c.ids FROM run_cases c
	JOIN day_runs r ON r.business_date = c.business_date AND r.run_no = c.run_no AND r.state = 'committed' `

// CaseOn returns the case with that id, or one that it had before or since, as the committed run of a date has it, with
// all its aliases; ErrNotFound where that run has no such case. LastSeen is what FindCase says.
func (s *DB) CaseOn(ctx context.Context, id string, date txn.Date) (Case, error) {
	ids, err := s.family(ctx, id, true)
	if err != nil {
		return Case{}, err
	}
	for _, one := range ids {
		var rows []caseRow
		err := s.all(ctx, &rows, selectDayCases+`WHERE c.case_id = ? AND c.business_date = ?`, one, date.String())
		if err != nil {
			return Case{}, err
		}
		if len(rows) > 0 {
			err := s.get(ctx, &rows[0].LastSeen, `SELECT last_seen FROM cases WHERE case_id = ?`, one)
			if err != nil {
				return Case{}, err
			}
			return s.whole(ctx, rows[0])
		}
	}
	return Case{}, fmt.Errorf("case %s in the book of %s: %w", id, date, ErrNotFound)
}

// whole adds to a row what stands elsewhere: aliases, and for a row of the newest books members and ids.
func (s *DB) whole(ctx context.Context, r caseRow) (Case, error) {
	if !r.Members.Valid {
		var rows []caseRow
		err := s.all(ctx, &rows, selectDayCases+`WHERE c.case_id = ? AND c.business_date = ?`, r.ID, r.LastSeen)
		if err != nil {
			return Case{}, err
		}
		if len(rows) > 0 {
			r.Members, r.IDs = rows[0].Members, rows[0].IDs
		}
	}
	c, err := r.value()
	if err != nil {
		return Case{}, err
	}
	c.Aliases, err = s.aliases(ctx, c.ID)
	return c, err
}

// membersText stores members: a list of keys and facts by turns, as listText stores it.
func membersText(members []reconcile.Member) string {
	list := make([]string, 0, 2*len(members))
	for _, m := range members {
		list = append(list, m.Key, m.Facts)
	}
	return listText(list)
}

// members decodes what membersText wrote.
func (d *decoder) members(text string) []reconcile.Member {
	list := d.list(text)
	if len(list)%2 != 0 {
		d.keep(fmt.Errorf("a list of members is not whole: %.60s", text))
		return nil
	}
	var members []reconcile.Member
	for i := 0; i < len(list); i += 2 {
		members = append(members, reconcile.Member{Key: list[i], Facts: list[i+1]})
	}
	return members
}

package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"daozhang/parsers/txn"
)

// SlotRef names a slot: what a file stands for. For bank evidence Key is the account and Date the booking day.
type SlotRef struct {
	Source string
	Date   txn.Date
	Key    string // empty where the source has one file a day
}

// String is source/date/key.
func (r SlotRef) String() string {
	return strings.TrimSuffix(fmt.Sprintf("%s/%s/%s", r.Source, r.Date, r.Key), "/")
}

// SlotKind tells a slot that is one file from one that is a day slice of a bank account.
type SlotKind string

// Kinds of slots.
const (
	FileSlot SlotKind = "file"
	BankSlot SlotKind = "bank"
)

// Covers says for whom a file of the slot speaks. Lists are sorted by the caller; empty means not known.
type Covers struct {
	Merchants []string `json:"merchants,omitempty"`
	Stores    []string `json:"stores,omitempty"`
	Accounts  []string `json:"accounts,omitempty"`
}

// Slice describes one booking day of one account, cut out of a statement.
type Slice struct {
	Lines     int64
	Digest    string // of the slice's lines, whatever file they stand in
	Complete  bool   // the file covers the day whole; else the slice is provisional
	Final     bool   // not an intraday statement
	Statement string // orders statements: later compares greater as text
	From, To  txn.Date
}

// Attachment is a file that stands for a slot.
type Attachment struct {
	File     string // SHA-256 of the member
	Delivery string
	Arrived  time.Time // when the delivery was received
	Cause    string    // why it was attached, for people: "fetched", "imported"
	Covers   Covers
	Slice    *Slice // bank evidence only
}

// SlotChange says what an attachment did.
type SlotChange string

// Changes. Only SlotNew and SlotRevised change what the slot says.
const (
	SlotNew       SlotChange = "new"       // the first file of the slot
	SlotRevised   SlotChange = "revision"  // other content; it is current now
	SlotOutranked SlotChange = "outranked" // other content, kept as a revision, but the current one ranks higher
	SlotAlias     SlotChange = "alias"     // content that the slot has or once had, from another delivery
	SlotUnchanged SlotChange = "unchanged" // this very attachment was recorded before
	SlotLate      SlotChange = "late"      // other content, but the date is closed: booked on the first open date
)

// Revision is one file that stands or stood for a slot.
type Revision struct {
	Slot     SlotRef
	Kind     SlotKind
	N        int // from 1, in the order of recording
	Current  bool
	File     string
	Delivery string
	Content  string // digest of the member, or of the slice's lines
	Arrived  time.Time
	Cause    string
	Covers   Covers
	Slice    *Slice

	// EffectiveOn is set for a file that came for a closed date: the first date that was open when it came, on which its
	// rows are booked. Stored then, never worked out again. Such a revision is never the current one.
	EffectiveOn txn.Date
}

type revisionRow struct {
	Source    string `db:"source"`
	Date      string `db:"business_date"`
	Key       string `db:"slot_key"`
	Kind      string `db:"kind"`
	CurrentN  int    `db:"current_n"`
	N         int    `db:"revision"`
	File      string `db:"file_sha256"`
	Delivery  string `db:"delivery_sha256"`
	Content   string `db:"content_sha256"`
	Arrived   string `db:"arrived_at"`
	Cause     string `db:"cause"`
	Covers    string `db:"covers"`
	Complete  bool   `db:"complete"`
	Final     bool   `db:"final"`
	Statement string `db:"statement_order"`
	From      string `db:"statement_from"`
	To        string `db:"statement_to"`
	Lines     int64  `db:"line_count"`
	Effective string `db:"effective_on"`
}

const selectRevisions = `SELECT r.source, r.business_date, r.slot_key, s.kind, s.revision AS current_n, r.revision,
	r.file_sha256, r.delivery_sha256, r.content_sha256, r.arrived_at, r.cause, r.covers, r.complete, r.final,
	r.statement_order, r.statement_from, r.statement_to, r.line_count, r.effective_on
	FROM slot_revisions r JOIN slots s
	ON s.source = r.source AND s.business_date = r.business_date AND s.slot_key = r.slot_key `

func (r revisionRow) revision() (Revision, error) {
	var d decoder
	v := Revision{Slot: SlotRef{r.Source, d.date(r.Date), r.Key}, Kind: SlotKind(r.Kind), N: r.N,
		Current: r.N == r.CurrentN, File: r.File, Delivery: r.Delivery, Content: r.Content, Arrived: d.time(r.Arrived),
		Cause: r.Cause, EffectiveOn: d.date(r.Effective)}
	d.keep(json.Unmarshal([]byte(r.Covers), &v.Covers))
	if v.Kind == BankSlot {
		v.Slice = &Slice{Lines: r.Lines, Digest: r.Content, Complete: r.Complete, Final: r.Final,
			Statement: r.Statement, From: d.date(r.From), To: d.date(r.To)}
	}
	return v, d.err
}

func decodeRevisions(rows []revisionRow) ([]Revision, error) {
	list := make([]Revision, 0, len(rows))
	for _, r := range rows {
		v, err := r.revision()
		if err != nil {
			return nil, fmt.Errorf("revision %d of slot %s/%s/%s: %w", r.N, r.Source, r.Date, r.Key, err)
		}
		list = append(list, v)
	}
	return list, nil
}

func revisions(ctx context.Context, q querier, ref SlotRef) ([]Revision, error) {
	var rows []revisionRow
	err := q.all(ctx, &rows, selectRevisions+`WHERE r.source = ? AND r.business_date = ? AND r.slot_key = ?
		ORDER BY r.revision`, ref.Source, ref.Date.String(), ref.Key)
	if err != nil {
		return nil, err
	}
	return decodeRevisions(rows)
}

// revisionsBetween lists all revisions of the slots of a source on the dates from from to to, of each in their order.
func revisionsBetween(ctx context.Context, q querier, source string, from, to txn.Date) (map[SlotRef][]Revision, error) {
	var rows []revisionRow
	err := q.all(ctx, &rows, selectRevisions+`WHERE r.source = ? AND r.business_date >= ? AND r.business_date <= ?
		ORDER BY r.business_date, r.slot_key, r.revision`, source, from.String(), to.String())
	if err != nil {
		return nil, err
	}
	all, err := decodeRevisions(rows)
	if err != nil {
		return nil, err
	}
	of := map[SlotRef][]Revision{}
	for _, r := range all {
		of[r.Slot] = append(of[r.Slot], r)
	}
	return of, nil
}

// CurrentSlots lists the current revision of every received slot of a business date, ordered by source and key.
func (s *DB) CurrentSlots(ctx context.Context, date txn.Date) ([]Revision, error) {
	return s.CurrentSlotsBetween(ctx, date, date)
}

// CurrentSlotsBetween lists the current revision of every received slot of the dates from from to to, ordered by date,
// source and key.
func (s *DB) CurrentSlotsBetween(ctx context.Context, from, to txn.Date) ([]Revision, error) {
	var rows []revisionRow
	err := s.all(ctx, &rows, selectRevisions+`WHERE s.business_date >= ? AND s.business_date <= ? AND r.revision = s.revision
		ORDER BY s.business_date, s.source, s.slot_key`, from.String(), to.String())
	if err != nil {
		return nil, err
	}
	return decodeRevisions(rows)
}

// SlotContents is CurrentSlotsBetween without what is told of a revision to people: of each it says which slot it stands for,
// its number and content, and, of a slice, whether it is whole and final. That is half of the work.
func (s *DB) SlotContents(ctx context.Context, from, to txn.Date) ([]Revision, error) {
	var rows []revisionRow
	err := s.all(ctx, &rows, `SELECT s.source, s.business_date, s.slot_key, s.kind, r.revision, r.content_sha256, r.complete, r.final
		FROM slot_revisions r JOIN slots s ON s.source = r.source AND s.business_date = r.business_date AND s.slot_key = r.slot_key
		WHERE s.business_date >= ? AND s.business_date <= ? AND r.revision = s.revision
		ORDER BY s.business_date, s.source, s.slot_key`, from.String(), to.String())
	if err != nil {
		return nil, err
	}
	list := make([]Revision, 0, len(rows))
	for _, r := range rows {
		date, err := parseDay(r.Date)
		if err != nil {
			return nil, fmt.Errorf("slot %s/%s/%s: %w", r.Source, r.Date, r.Key, err)
		}
		v := Revision{Slot: SlotRef{r.Source, date, r.Key}, Kind: SlotKind(r.Kind), N: r.N, Current: true, Content: r.Content}
		if v.Kind == BankSlot {
			v.Slice = &Slice{Digest: r.Content, Complete: r.Complete, Final: r.Final}
		}
		list = append(list, v)
	}
	return list, nil
}

// SlotHistory lists all revisions of a slot in the order in which they were recorded.
func (s *DB) SlotHistory(ctx context.Context, ref SlotRef) ([]Revision, error) {
	list, err := revisions(ctx, s.q(), ref)
	return list, s.dialect.classify(err)
}

// FileSlots lists the revisions for which a source's file stands or stood, ordered by date and key.
func (s *DB) FileSlots(ctx context.Context, source, sha string) ([]Revision, error) {
	var rows []revisionRow
	err := s.all(ctx, &rows, selectRevisions+`WHERE r.source = ? AND r.file_sha256 = ?
		ORDER BY r.business_date, r.slot_key, r.revision`, source, sha)
	if err != nil {
		return nil, err
	}
	return decodeRevisions(rows)
}

// Alias is another delivery that brought content which a slot already had.
type Alias struct {
	Revision int
	Delivery string
	File     string
	Arrived  time.Time
}

// SlotAliases lists the deliveries that brought the slot nothing new, ordered by revision and arrival.
func (s *DB) SlotAliases(ctx context.Context, ref SlotRef) ([]Alias, error) {
	var rows []struct {
		Revision int    `db:"revision"`
		Delivery string `db:"delivery_sha256"`
		File     string `db:"file_sha256"`
		Arrived  string `db:"arrived_at"`
	}
	err := s.all(ctx, &rows, `SELECT revision, delivery_sha256, file_sha256, arrived_at FROM slot_aliases
		WHERE source = ? AND business_date = ? AND slot_key = ?
		ORDER BY revision, arrived_at, delivery_sha256, file_sha256`, ref.Source, ref.Date.String(), ref.Key)
	if err != nil {
		return nil, err
	}
	var d decoder
	list := make([]Alias, 0, len(rows))
	for _, r := range rows {
		list = append(list, Alias{r.Revision, r.Delivery, r.File, d.time(r.Arrived)})
	}
	return list, d.err
}

// FirstDate is the earliest business date for which any slot was received; ok is false where there is none.
func (s *DB) FirstDate(ctx context.Context) (date txn.Date, ok bool, err error) {
	var first sql.NullString
	if err := s.get(ctx, &first, `SELECT min(business_date) FROM slots WHERE revision > 0`); err != nil || !first.Valid {
		return 0, false, err
	}
	date, err = parseDay(first.String)
	return date, err == nil, err
}

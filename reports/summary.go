package reports

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// SummarySchema is the version of summary.json. Keys are only appended within a version.
const SummarySchema = 1

// ErrSchema is returned for a summary.json that this program is too old to read.
var ErrSchema = errors.New("summary.json is of an unknown schema version")

// Summary is summary.json. Money is a decimal string in major units; nothing in it is translated.
type Summary struct {
	SchemaVersion int             `json:"schema_version"`
	Entity        string          `json:"entity"`
	BusinessDate  string          `json:"business_date"`
	Revision      int             `json:"revision"`
	AsOf          string          `json:"as_of"` // RFC 3339 in the entity's zone
	Verdict       string          `json:"verdict"`
	Sides         []SummarySide   `json:"sides"`
	Passes        []SummaryPass   `json:"passes"`
	Classes       []SummaryClass  `json:"classes"`
	Payouts       []SummaryPayout `json:"payouts"`
	RollForward   []SummaryRoll   `json:"roll_forward"`
	Slots         []SummarySlot   `json:"slots"`
	History       SummaryHistory  `json:"history"`
}

// SummarySide is one slot's rows in one state on one leg.
type SummarySide struct {
	Leg       string `json:"leg"`
	Side      string `json:"side"`
	Source    string `json:"source"`
	Slot      string `json:"slot"`
	Currency  string `json:"currency"`
	State     string `json:"state"`
	Reason    string `json:"reason"`
	Rows      int64  `json:"rows"`
	CarriedIn int64  `json:"carried_in"`
	Amount    string `json:"amount"`
	Fee       string `json:"fee"`
	Net       string `json:"net"`
}

// SummaryPass is what one pass matched.
type SummaryPass struct {
	Leg      string `json:"leg"`
	Pass     string `json:"pass"`
	Currency string `json:"currency"`
	Matches  int64  `json:"matches"`
	Rows     int64  `json:"rows"`
	Amount   string `json:"amount"`
}

// SummaryClass counts a class.
type SummaryClass struct {
	Class    string `json:"class"`
	Currency string `json:"currency"`
	Cases    int64  `json:"cases"`
	Rows     int64  `json:"rows"`
	Amount   string `json:"amount"`
}

// SummaryPayout is the tie-out of one acquirer and currency.
type SummaryPayout struct {
	Acquirer         string `json:"acquirer"`
	Currency         string `json:"currency"`
	Basis            string `json:"basis"`
	OpeningInTransit string `json:"opening_in_transit"`
	OpeningOverdue   string `json:"opening_overdue"`
	OpeningHeld      string `json:"opening_held"`
	Cleared          string `json:"cleared"`
	Found            string `json:"found"`
	Short            string `json:"short"`
	Over             string `json:"over"`
	WrittenOff       string `json:"written_off"`
	ClosingInTransit string `json:"closing_in_transit"`
	Overdue          string `json:"overdue"`
	Held             string `json:"held"`
	Remainder        string `json:"remainder"`
}

// SummaryFigure is a count with its amount.
type SummaryFigure struct {
	Rows   int64  `json:"rows"`
	Amount string `json:"amount"`
}

// SummaryRoll is one line of the roll-forward.
type SummaryRoll struct {
	Leg          string        `json:"leg"`
	Side         string        `json:"side"`
	Class        string        `json:"class"`
	Currency     string        `json:"currency"`
	Opening      SummaryFigure `json:"opening"`
	New          SummaryFigure `json:"new"`
	Cleared      SummaryFigure `json:"cleared"`
	Reclassified SummaryFigure `json:"reclassified"`
	Closing      SummaryFigure `json:"closing"`
}

// SummarySlot is one awaited or received file.
type SummarySlot struct {
	Source   string           `json:"source"`
	Slot     string           `json:"slot"`
	State    string           `json:"state"`
	File     string           `json:"file"`
	Revision int              `json:"revision"`
	Rows     int64            `json:"rows"`
	Controls []SummaryControl `json:"controls"`
}

// SummaryControl is one stated figure beside the computed one.
type SummaryControl struct {
	Scope    string `json:"scope"`
	Name     string `json:"name"`
	Stated   string `json:"stated"`
	Computed string `json:"computed"`
	OK       bool   `json:"ok"`
}

// WriteSummary writes summary.json: keys in the contract's order, indented, one line feed at the end.
func WriteSummary(w io.Writer, b *Book) error {
	if err := b.check(); err != nil {
		return err
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(b.summary()); err != nil {
		return fmt.Errorf("writing summary.json of %s: %w", b.Date, err)
	}
	return nil
}

// ReadSummary reads what WriteSummary wrote. Keys that it does not know are ignored, since later programs append
// some; another schema version is ErrSchema.
func ReadSummary(r io.Reader) (*Summary, error) {
	var s Summary
	if err := json.NewDecoder(r).Decode(&s); err != nil {
		return nil, fmt.Errorf("summary.json cannot be read: %w", err)
	}
	if s.SchemaVersion != SummarySchema {
		return nil, fmt.Errorf("%w: %d, this program reads %d; update it or rerun the date",
			ErrSchema, s.SchemaVersion, SummarySchema)
	}
	return &s, nil
}

func (b *Book) summary() *Summary {
	o := b.Outcome
	s := &Summary{
		SchemaVersion: SummarySchema, Entity: b.Entity, BusinessDate: b.Date.String(), Revision: b.Revision,
		AsOf: b.asOf().Format(time.RFC3339), Verdict: string(b.verdict()),
		Sides: []SummarySide{}, Passes: []SummaryPass{}, Classes: []SummaryClass{}, Payouts: []SummaryPayout{},
		RollForward: []SummaryRoll{}, Slots: []SummarySlot{},
		History: b.history(),
	}
	for _, v := range o.Sides {
		s.Sides = append(s.Sides, SummarySide{Leg: string(v.Leg), Side: v.Side.String(), Source: v.Source, Slot: v.Slot,
			Currency: v.Currency.String(), State: string(v.State), Reason: string(v.Reason), Rows: v.Rows,
			CarriedIn: v.CarriedIn, Amount: txn.FormatAmount(v.Amount, v.Currency), Fee: v.Fee.Format(v.Currency),
			Net: v.Net.Format(v.Currency)})
	}
	for _, v := range o.Passes {
		s.Passes = append(s.Passes, SummaryPass{Leg: string(v.Leg), Pass: v.Pass, Currency: v.Currency.String(),
			Matches: v.Matches, Rows: v.Rows, Amount: txn.FormatAmount(v.Amount, v.Currency)})
	}
	for _, v := range o.Classes {
		s.Classes = append(s.Classes, SummaryClass{Class: string(v.Class), Currency: v.Currency.String(),
			Cases: v.Cases, Rows: v.Rows, Amount: txn.FormatAmount(v.Amount, v.Currency)})
	}
	for _, v := range o.Payouts {
		s.Payouts = append(s.Payouts, summaryPayout(v))
	}
	for _, v := range o.Roll {
		fig := func(f reconcile.Figure) SummaryFigure {
			return SummaryFigure{Rows: f.Rows, Amount: txn.FormatAmount(f.Amount, v.Currency)}
		}
		s.RollForward = append(s.RollForward, SummaryRoll{Leg: string(v.Leg), Side: v.Side.String(),
			Class: string(v.Class), Currency: v.Currency.String(), Opening: fig(v.Opening), New: fig(v.New),
			Cleared: fig(v.Cleared), Reclassified: fig(v.Reclassified), Closing: fig(v.Closing)})
	}
	for _, v := range o.Slots {
		s.Slots = append(s.Slots, summarySlot(v))
	}
	return s
}

func summaryPayout(v reconcile.PayoutSum) SummaryPayout {
	m := func(minor int64) string { return txn.FormatAmount(minor, v.Currency) }
	return SummaryPayout{Acquirer: v.Acquirer, Currency: v.Currency.String(), Basis: v.Basis,
		OpeningInTransit: m(v.OpeningTransit), OpeningOverdue: m(v.OpeningOverdue), OpeningHeld: m(v.OpeningHeld),
		Cleared: m(v.Cleared), Found: m(v.Found), Short: m(v.Short), Over: m(v.Over), WrittenOff: m(v.WrittenOff),
		ClosingInTransit: m(v.ClosingTransit), Overdue: m(v.Overdue), Held: m(v.Held), Remainder: m(v.Remainder)}
}

func summarySlot(v reconcile.SlotSum) SummarySlot {
	s := SummarySlot{Source: v.Source, Slot: v.Slot, State: string(v.State), File: v.File, Revision: v.Revision,
		Rows: v.Rows, Controls: []SummaryControl{}}
	for _, c := range v.Controls {
		s.Controls = append(s.Controls, SummaryControl(c))
	}
	return s
}

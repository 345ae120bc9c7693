package pipeline

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"daozhang/cmd/internal/store"
	"daozhang/parsers/txn"
	"daozhang/reconcile"
)

// inputRows lists what a day is computed from beside its carry: current files and states of its slots, files for closed
// dates that are booked on it, the register as it stands for the day and, where it would change closed dates, for these,
// and the decisions that act on it. What it asks the ledgers is known only when it has been computed; see history.
func (e *Engine) inputRows(d txn.Date, states []SlotStatus, decisions []reconcile.Decision, reaches []reach) []store.Input {
	var out []store.Input
	for _, s := range states {
		key := func(k string) string {
			if s.Date != d {
				return s.Date.String() + " " + k
			}
			return k
		}
		if len(s.Files) == 0 {
			out = append(out, store.Input{Kind: store.SlotInput, Source: s.Source.Name, Key: key(s.Key), State: string(s.State)})
		}
		for _, f := range s.Files {
			out = append(out, store.Input{Kind: store.SlotInput, Source: s.Source.Name, Key: key(f.Slot.Key), State: string(s.State), Digest: f.Content, Revision: f.N})
		}
	}
	out = append(out, store.Input{Kind: store.RegisterInput, Key: store.RegisterKey, Digest: e.registerDigest(d)})
	for _, r := range reaches {
		out = append(out, store.Input{Kind: store.RegisterInput, Key: store.ReachKey(r.date), Digest: r.now})
	}
	for _, x := range decisions {
		out = append(out, store.Input{Kind: store.DecisionInput, Source: x.CaseID, Key: x.ID, State: string(x.Status)})
	}
	slices.SortFunc(out, compareInputs)
	return out
}

func compareInputs(a, b store.Input) int {
	return cmp.Or(strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.Source, b.Source), strings.Compare(a.Key, b.Key))
}

// inputsDigest is a fingerprint of inputs. The number of a slot's revision is left out: it tells the order of arrival.
func inputsDigest(rows []store.Input) string {
	h := sha256.New()
	for _, in := range rows {
		fmt.Fprintf(h, "%s\x1f%s\x1f%s\x1f%s\x1f%s\n", in.Kind, in.Source, in.Key, in.State, in.Digest)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// inputDiff is one input that two runs of a day knew differently; the zero Input where one of them did not have it.
type inputDiff struct{ was, is store.Input }

func (x inputDiff) kind() store.InputKind { return cmp.Or(x.is.Kind, x.was.Kind) }

// diffInputs compares what two runs of a day knew, in the order of kind, source and key.
func diffInputs(was, is []store.Input) (out []inputDiff) {
	type id struct {
		kind        store.InputKind
		source, key string
	}
	of := func(i store.Input) id { return id{i.Kind, i.Source, i.Key} }
	old := map[id]store.Input{}
	for _, i := range was {
		old[of(i)] = i
	}
	for _, i := range is {
		w, ok := old[of(i)]
		delete(old, of(i))
		if !ok || w.State != i.State || w.Digest != i.Digest {
			out = append(out, inputDiff{w, i})
		}
	}
	for _, w := range was {
		if _, left := old[of(w)]; left {
			out = append(out, inputDiff{was: w})
		}
	}
	slices.SortStableFunc(out, func(a, b inputDiff) int {
		return compareInputs(cmp.Or(a.is, a.was), cmp.Or(b.is, b.was))
	})
	return out
}

// describe says for people what changed.
func describe(ds []inputDiff) (out []string) {
	reached := false
	for _, x := range ds {
		i := cmp.Or(x.is, x.was)
		name := strings.TrimSuffix(i.Source+" "+i.Key, " ")
		switch {
		case i.Kind == store.DecisionInput:
			out = append(out, "decision on "+i.Source)
		case i.Kind == store.RegisterInput && i.Key == store.RegisterKey:
			out = append(out, "register")
		case i.Kind == store.RegisterInput:
			if !reached {
				out = append(out, "register of closed dates")
			}
			reached = true
		case i.Kind == store.LookupInput:
		case x.was.Digest != "" && x.is.Digest != "":
			out = append(out, name+" was corrected")
		case x.is.Digest != "" && x.was.State == string(reconcile.SlotMissing):
			out = append(out, name+" came late")
		case x.is.Digest != "":
			out = append(out, name+" came")
		case x.is.Kind == "":
			out = append(out, name+" is not awaited any more")
		default:
			out = append(out, name+" is "+strings.ReplaceAll(x.is.State, "_", " "))
		}
	}
	return out
}

package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"daozhang/parsers/txn"
	"daozhang/reconcile/register"
)

var sound = map[string]string{
	"stores":    "\ufeffstore_id,name,valid_from,valid_to\r\nS01,Center,2024-01-01,\r\n",
	"merchants": "mid,acquirer,external_mid,legal_name,mcc,valid_from,valid_to\nM1,chinaums,0012,示例,5411,2024-01-01,\n",
	"terminals": "tid,mid,store_id,external_tid,offline_limit_h,valid_from,valid_to\n00000001,M1,S01,,24,2024-01-01,2026-12-31\n",
	"contracts": "contract_id,mid,channel,card_class,mcc,rate,fixed,cap,min,rounding,fee_back_on_refund,cycle,cutoff,cutoff_drift_min,calendar,payout_basis,account,valid_from,valid_to\n" +
		"C1,M1,card,debit,,0.5%,,20,0.01,row-half-up,yes,T+1,23:00,10,cn,derived,6222,2024-01-01,\n" +
		"C2,,,,,0.38%,100,,,batch-half-up,no,D+1,,,,announced,JP1,2024-01-01,\n",
	"accounts": "account,bank,currency,owner,valid_from,valid_to\n6222,ICBC,CNY,示例,2024-01-01,\nJP1,MUFG,JPY,示例,2024-01-01,\n",
	"payers":   "name,acquirer,licensed,valid_from,valid_to\n银联商务（上海）,chinaums,yes,2024-01-01,\n,,,,\n",
}

// folder writes a register; a file with an empty text is left out.
func folder(t *testing.T, change map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range sound {
		if c, ok := change[name]; ok {
			text = c
		}
		if text == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name+".csv"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestLoadRegister(t *testing.T) {
	r, ps := LoadRegister(folder(t, nil))
	if r == nil || len(ps) > 0 {
		t.Fatalf("problems:\n%v", ps)
	}
	on := date(t, "2026-01-01")
	m, ok := r.Merchant("chinaums", "0012", on)
	if !ok || m.MID != "M1" || m.LegalName != "示例" {
		t.Errorf("merchant %+v", m)
	}
	x, ok := r.Terminal("M1", "00000001", date(t, "2026-12-31"))
	if !ok || x.OfflineLimitH != 24 || x.Line != "terminals.csv:2" {
		t.Errorf("terminal %+v", x)
	}
	if _, ok := r.Terminal("M1", "00000001", date(t, "2027-01-01")); ok {
		t.Error("terminal after valid_to")
	}
	c, err := r.Contract("M1", txn.Card, "debit", "5411", on)
	if err != nil || c.Rate != 50000 || c.Cap != 2000 || !c.HasCap || c.Min != 1 || !c.HasMin || c.Rounding != register.RowHalfUp ||
		!c.FeeBackOnRefund || c.Cycle.String() != "T+1" || c.CutoffSeconds != 23*3600 || c.CutoffDriftMin != 10 || c.Basis != register.Derived {
		t.Errorf("contract %+v, %v", c, err)
	}
	c, err = r.Contract("M1", txn.WeChat, "", "", on)
	if err != nil || c.Rate != 38000 || c.Fixed != 100 || c.HasCap || c.Cycle.Working || c.Rounding != register.BatchHalfUp || c.Line != "contracts.csv:3" {
		t.Errorf("contract into a yen account %+v, %v", c, err)
	}
	if p, ok := r.Payer("银联商务(上海)", on); !ok || !p.Licensed {
		t.Errorf("payer %+v", p)
	}
}

func TestLoadRegisterWithoutFilesWarns(t *testing.T) {
	r, ps := LoadRegister(folder(t, map[string]string{"payers": "", "stores": ""}))
	if r == nil || len(ps.Errors()) != 0 || len(ps.Warnings()) != 2 || !strings.Contains(ps.Error(), "payers.csv: warning: there is no such file") {
		t.Errorf("problems:\n%v", ps)
	}
	r, ps = LoadRegister(filepath.Join(t.TempDir(), "none"))
	if r == nil || !r.Empty() || len(ps.Errors()) != 0 || len(ps.Warnings()) != 1 {
		t.Errorf("problems:\n%v", ps)
	}
}

// Each » in a file marks where the next of the wanted problems must stand.
func TestRegisterProblemsStandWhereTheyAre(t *testing.T) {
	in := func(table, old, new string) string {
		if !strings.Contains(sound[table], old) {
			t.Fatalf("no %q in %s", old, table)
		}
		return strings.Replace(sound[table], old, new, 1)
	}
	const stores = "store_id,name,valid_from,valid_to\n"
	for _, x := range []struct {
		name, table, text string
		want              []string
	}{
		{"misspelt column", "stores", "»»store_no,name,valid_from,valid_to\nS01,x,2024-01-01,\n",
			[]string{"column store_id is missing", `unknown column "store_no"; did you mean store_id?`}},
		{"surplus column", "stores", in("stores", ",name", ",name,»city"), []string{`unknown column "city"; remove it`}},
		{"missing column", "merchants", "»" + in("merchants", ",mcc", ""), []string{"column mcc is missing; add it"}},
		{"column twice", "stores", in("stores", ",name", ",name,»name"), []string{"column name stands twice"}},
		{"rate without percent sign", "contracts", in("contracts", "0.5%", "»0.005"), []string{`rate: "0.005" has no percent sign`}},
		{"rate over all", "contracts", in("contracts", "0.5%", "»138%"), []string{`rate: "138%" must be a percentage`}},
		{"position behind a quoted line break and a blank line", "stores",
			stores + "S01,\"Cen\nter\",2024-01-01,\n\nS02,北店,»2024/01/01,\n", []string{`valid_from: "2024/01/01" is not a date`}},
		{"several in one row", "contracts", in("contracts", ",20,0.01,row-half-up,yes,T+1,23:00", `,»"1,000",0.01,row-half-up,yes,»T1,»25:00`),
			[]string{"cap: ", "cycle: ", "cutoff: "}},
		{"fixed part of a yen account with decimals", "contracts", in("contracts", ",100,", ",»100.5,"), []string{`fixed: "100.5" must be an amount in JPY`}},
		{"id shortened by a spreadsheet", "accounts", in("accounts", "JP1", "»6.2E+15"), []string{"that a spreadsheet has shortened"}},
		{"row with too few values", "stores", sound["stores"] + "»S02,North\n", []string{"another number of values"}},
		{"quote inside a value", "stores", stores + "S01,a »\"b\" c,2024-01-01,\n", []string{"write quotes inside it twice"}},
		{"working days without a calendar", "contracts", in("contracts", ",cn,", ",»,"), []string{"calendar: is empty, but T+1 counts working days"}},
		{"unknown channel", "contracts", in("contracts", ",card,", ",»crad,"), []string{`channel: "crad" is not known; did you mean card?`}},
		{"not UTF-8", "stores", stores + "»S01,\xb1\xb1,2024-01-01,\n", []string{"not UTF-8; save the file"}},
		{"empty valid_from", "stores", in("stores", "2024-01-01", "»"), []string{`valid_from: "" is not a date`}},
		{"overlap", "stores", stores + "»S01,a,2024-01-01,2025-01-01\nS01,b,2025-01-01,\n",
			[]string{"stores.csv:2 and stores.csv:3: overlapping validity of store S01"}},
		{"dangling store", "terminals", in("terminals", "00000001,M1,S01", "»00000001,M1,S09"), []string{`reference to nothing: store_id "S09"`}},
		{"empty file", "stores", "»\n", []string{"the file is empty"}},
	} {
		t.Run(x.name, func(t *testing.T) {
			at := marks(x.text)
			_, ps := LoadRegister(folder(t, map[string]string{x.table: strings.ReplaceAll(x.text, "»", "")}))
			ps = ps.Errors()
			if len(ps) != len(x.want) || len(at) != len(x.want) {
				t.Fatalf("%d problems, want %d:\n%v", len(ps), len(x.want), ps)
			}
			for i, p := range ps {
				if p.Line != at[i].line || p.Column != 0 && p.Column != at[i].column || !strings.Contains(p.Text, x.want[i]) ||
					filepath.Base(p.File) != x.table+".csv" {
					t.Errorf("got  %v\nwant %s.csv:%d:%d: %s", p, x.table, at[i].line, at[i].column, x.want[i])
				}
			}
		})
	}
}

// marks are the places of the marks, columns in characters. A text may hold bytes that are not UTF-8.
func marks(text string) []place {
	var at []place
	line, col := 1, 1
	for rest := strings.TrimPrefix(text, "\ufeff"); rest != ""; {
		if strings.HasPrefix(rest, "»") {
			at = append(at, place{line, col})
			rest = rest[len("»"):]
			continue
		}
		if rest[0] == '\n' {
			line, col = line+1, 0
		}
		col++
		_, n := utf8.DecodeRuneInString(rest)
		rest = rest[n:]
	}
	return at
}

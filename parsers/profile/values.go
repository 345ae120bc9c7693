package profile

import (
	"bytes"
	"errors"

	"daozhang/parsers/txn"
)

var (
	errSigned = errors.New("must not have a sign: the kind gives it")
	errLetter = errors.New("must begin with its sign letter")
	errGroups = errors.New("thousands separators are not in groups of three")
	errCard   = errors.New("not a card number")
)

var pow10 = [...]int64{1, 10, 100, 1000, 10000, 100000}

func (r *Reader) setAmount(row *txn.Row, o *op, v []byte) error {
	decimals := row.Currency.Decimals()
	if o.minor {
		decimals = 0
	}
	n, err := r.money(row, o, v, decimals)
	if err != nil {
		return err
	}
	storeAmount(row, o.field, n)
	return nil
}

func storeAmount(row *txn.Row, f txn.Field, n int64) {
	switch f {
	case txn.AmountField:
		row.Amount = n
	case txn.OrderAmountField:
		row.OrderAmount = n
	case txn.PaidAmountField:
		row.PaidAmount = n
	case txn.SettleAmountField:
		row.SettleAmount = n
	case txn.SubsidyField:
		row.Subsidy = n
	case txn.NetField:
		row.Net = n
	case txn.BalanceField:
		row.Balance = n
	}
	row.Has = row.Has.With(f)
}

// setFee adds up where several columns make the fee.
func (r *Reader) setFee(row *txn.Row, o *op, v []byte) error {
	decimals, scale := txn.FineDecimals, int64(1)
	if o.minor {
		decimals, scale = 0, pow10[txn.FineDecimals-row.Currency.Decimals()]
	}
	n, err := r.money(row, o, v, decimals)
	if err != nil {
		return err
	}
	storeFee(row, o, txn.Fine(n*scale))
	return nil
}

func storeFee(row *txn.Row, o *op, fee txn.Fine) {
	row.Fee += fee
	row.Has = row.Has.With(txn.FeeField)
	if o.class != "" && fee != 0 {
		row.FeeParts = append(row.FeeParts, txn.FeePart{Class: o.class, Amount: fee})
	}
}

// money reads a number and applies the sign rule of the column.
func (r *Reader) money(row *txn.Row, o *op, v []byte, decimals int) (int64, error) {
	letter := byte(0)
	if o.sign == signLetter && v[0] >= 'A' && v[0] <= 'Z' {
		letter = v[0]
		v = v[1:]
	}
	v, err := r.plainNumber(v, o.thousands)
	if err != nil {
		return 0, err
	}
	n, err := txn.ParseDecimal(v, decimals)
	if err != nil {
		return 0, err
	}
	return r.signOf(row, o, n, letter)
}

// signOf applies the sign rule of the column to a number as written.
func (r *Reader) signOf(row *txn.Row, o *op, n int64, letter byte) (int64, error) {
	switch o.sign {
	case signKind:
		if n < 0 {
			return 0, errSigned
		}
		return n * kindSign(row.Kind), nil
	case signSignedOrKind:
		if n < 0 && o.field == txn.AmountField {
			r.signed = true
		}
		if n < 0 || r.signed {
			return n, nil
		}
		return n * kindSign(row.Kind), nil
	case signNegate:
		return -n, nil
	case signLetter:
		if letter == 0 && n != 0 || n < 0 || letter != 0 && letter != 'C' && letter != 'D' && letter != o.plus {
			return 0, errLetter
		}
		if letter != o.plus {
			return -n, nil
		}
	}
	return n, nil
}

// kindSign is the kind's sign, and plus for kinds that have none of their own.
func kindSign(k txn.Kind) int64 {
	if k.Sign() < 0 {
		return -1
	}
	return 1
}

// plainNumber takes off what vendors add to numbers: full-width forms, and where allowed thousands commas and a
// currency sign.
func (r *Reader) plainNumber(v []byte, thousands bool) ([]byte, error) {
	if hasHigh(v) {
		v = r.folded(v)
		if thousands {
			v = bytes.TrimPrefix(v, []byte("\u00A5"))
			v = bytes.TrimPrefix(v, []byte("\uFFE5"))
		}
	}
	if !thousands || bytes.IndexByte(v, ',') < 0 {
		return v, nil
	}
	whole := v
	if dot := bytes.IndexByte(v, '.'); dot >= 0 {
		whole = v[:dot]
		if bytes.IndexByte(v[dot:], ',') >= 0 {
			return nil, errGroups
		}
	}
	from := len(r.num)
	group := -1 // digits since the last comma; -1 before the first
	for _, c := range whole {
		if c == ',' {
			if group >= 0 && group != 3 {
				return nil, errGroups
			}
			group = 0
			continue
		}
		if group >= 0 {
			group++
		}
		r.num = append(r.num, c)
	}
	if group != 3 || whole[0] == ',' {
		return nil, errGroups
	}
	r.num = append(r.num, v[len(whole):]...)
	return r.num[from:len(r.num):len(r.num)], nil
}

// setCard keeps the last four digits, and the first six where the installation wants them.
func (r *Reader) setCard(row *txn.Row, v []byte) error {
	tail, n := 0, len(v)
	for tail < n && tail < 4 && v[n-1-tail] >= '0' && v[n-1-tail] <= '9' {
		tail++
	}
	for _, c := range v {
		if (c < '0' || c > '9') && c != '*' && c != 'x' && c != 'X' && c != ' ' && c != '-' {
			return errCard
		}
	}
	if tail < 4 {
		if tail > 0 {
			return errCard
		}
		return nil // wholly masked
	}
	row.Set(txn.CardTail, v[n-4:n:n])
	if r.src.Options.CardLead && n >= 12 {
		lead := 0
		for lead < 6 && v[lead] >= '0' && v[lead] <= '9' {
			lead++
		}
		if lead == 6 {
			row.Set(txn.CardLead, v[:6:6])
		}
	}
	return nil
}

// masked returns v, or a copy in the row's buffer with card numbers masked.
func (r *Reader) masked(v []byte) []byte {
	from := len(r.buf)
	out := maskPAN(r.buf, v)
	if len(out) == from {
		return v
	}
	r.buf = out
	return r.buf[from:len(r.buf):len(r.buf)]
}

// maskPAN looks for runs of 13 to 19 digits that pass the Luhn check. With dst nil it returns v or a masked copy;
// else it appends the masked copy to dst, or returns dst as it is where nothing had to be masked.
func maskPAN(dst, v []byte) []byte {
	out, found := dst, false
	for i := 0; i < len(v); {
		if v[i] < '0' || v[i] > '9' {
			i++
			continue
		}
		j := i
		for j < len(v) && v[j] >= '0' && v[j] <= '9' {
			j++
		}
		if n := j - i; n >= 13 && n <= 19 && luhn(v[i:j]) {
			if !found {
				out, found = append(out, v...), true
			}
			hide := out[len(out)-len(v)+i:]
			for k := range n - 4 {
				hide[k] = '*'
			}
		}
		i = j
	}
	if !found && dst == nil {
		return v
	}
	return out
}

func luhn(digits []byte) bool {
	sum := 0
	for i := range digits {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

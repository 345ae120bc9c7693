package txn

// Field names one column of the neutral row. The first ones are texts and index [Row.Text].
type Field uint8

// Text fields. Identifiers are kept as received; trimming and mapping happen when keys are made.
const (
	MID Field = iota
	TID
	Store
	Batch
	STAN
	RRN
	AuthCode
	CardTail // last four digits; never more
	CardLead // first six digits, only where the installation's setting allows it
	CardClass
	EntryMode
	MCC
	Operator
	WalletID
	OrderNo
	ChannelTxnID
	RefundID
	OrigOrder
	OrigRRN
	OrigBatch
	OrigSTAN
	OrigChannelTxnID
	ARN
	PayoutID
	AcquirerRef
	ResponseCode
	StatusText
	Account
	CounterpartyName
	CounterpartyAccount
	CounterpartyBank
	Remittance
	BankCode
	BankCodeScheme
	BankRef
	EndToEnd
	MandateRef
	StatementID
	StatementPage
	textFields

	// Fields that are not texts.
	SideField Field = iota - 1
	KindField
	StatusField
	ChannelField
	LineStatusField
	OfflineField
	ReversedField
	AmountField
	OrderAmountField
	PaidAmountField
	SettleAmountField
	SubsidyField
	NetField
	BalanceField
	FeeField
	SettlementField
	PayoutAmountField
	TimeField
	BusinessDateField
	PayoutDateField
	BookingDateField
	ValueDateField
	OrigDateField
	ExtraField
	numFields
)

// TextFields is how many of the fields are texts: they are the Fields 0 to TextFields-1.
const TextFields = int(textFields)

var fieldNames = [numFields]string{
	MID: "merchant_id", TID: "terminal_id", Store: "store_id", Batch: "batch_no", STAN: "trace_no", RRN: "rrn",
	AuthCode: "auth_code", CardTail: "card_no", CardLead: "card_lead", CardClass: "card_class", EntryMode: "entry_mode",
	MCC: "mcc", Operator: "operator", WalletID: "wallet_id", OrderNo: "order_no", ChannelTxnID: "channel_txn_id",
	RefundID: "refund_no", OrigOrder: "orig_order_no", OrigRRN: "orig_rrn", OrigBatch: "orig_batch_no",
	OrigSTAN: "orig_trace_no", OrigChannelTxnID: "orig_channel_txn_id", ARN: "arn", PayoutID: "payout_id",
	AcquirerRef: "acquirer_ref", ResponseCode: "response_code", StatusText: "status_text", Account: "account",
	CounterpartyName: "counterparty_name", CounterpartyAccount: "counterparty_account",
	CounterpartyBank: "counterparty_bank", Remittance: "remittance", BankCode: "bank_code",
	BankCodeScheme: "bank_code_scheme", BankRef: "bank_ref", EndToEnd: "end_to_end_id", MandateRef: "mandate_ref",
	StatementID: "statement_id", StatementPage: "statement_page",
	SideField: "side", KindField: "kind", StatusField: "status", ChannelField: "channel", LineStatusField: "line_status",
	OfflineField: "offline", ReversedField: "reversed", AmountField: "amount", OrderAmountField: "order_amount",
	PaidAmountField: "paid_amount", SettleAmountField: "settle_amount", SubsidyField: "subsidy", NetField: "net",
	BalanceField: "balance", FeeField: "fee", SettlementField: "settlement", PayoutAmountField: "payout_amount",
	TimeField: "txn_time", BusinessDateField: "business_date", PayoutDateField: "payout_date",
	BookingDateField: "booking_date", ValueDateField: "value_date", OrigDateField: "orig_date", ExtraField: "extra",
}

// String returns the field's name as profiles, JSON and reports spell it.
func (f Field) String() string {
	if f < numFields {
		return fieldNames[f]
	}
	return "?"
}

// ParseField reads what String writes.
func ParseField(s string) (Field, bool) {
	for i, n := range fieldNames {
		if n == s && n != "" {
			return Field(i), true
		}
	}
	return 0, false
}

// IsText reports whether the field indexes Row.Text.
func (f Field) IsText() bool { return f < textFields }

// Fields is a set of fields.
type Fields uint64

// AllFields asks a reader for everything that its source holds.
const AllFields = Fields(1)<<numFields - 1

// FieldsOf makes a set.
func FieldsOf(fs ...Field) Fields {
	var s Fields
	for _, f := range fs {
		s |= 1 << f
	}
	return s
}

// Has reports whether f is in the set.
func (s Fields) Has(f Field) bool { return s&(1<<f) != 0 }

// With returns the set and f.
func (s Fields) With(f Field) Fields { return s | 1<<f }

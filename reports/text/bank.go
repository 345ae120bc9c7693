package text

import "daozhang/reconcile"

// bankClasses words the classes of leg A-B.
var bankClasses = []Entry{
	{reconcile.B01, Msg{"未到期", "Payout not due"},
		Msg{"打款已知，到账日未到。", "The payout is known and its due date has not come."},
		Msg{"无需处理，到期日见「未达明细」。", "Nothing to do; the due date stands in sheet Open items."},
		[]Cause{{"cycle", Msg{"结算周期未到", "the cycle has not run its course"}, Msg{"到期日晚于本账期", "due after this business date"}}}},
	{reconcile.B02, Msg{"到期未到账", "Payout overdue"},
		Msg{"到期日已过，银行流水完整，仍没有这笔入账。", "The due date has passed, the statement is complete, and no credit came."},
		Msg{"先核对收款账户状态，再向收单要打款流水号和状态，凭此问银行。", "Check the account first; ask the acquirer for the payout's reference and state, then the bank with it."},
		[]Cause{
			{"acquirer_late", Msg{"收单尚未打款", "not yet paid by the acquirer"}, Msg{"同收单其他打款也未到", "its other payouts are late too"}},
			{"bank_delay", Msg{"银行处理延迟", "delayed at the bank"}, Msg{"多家收单同一银行同时未到", "several acquirers are late at one bank"}},
			{"account_problem", Msg{"收款账户变更或冻结", "the account was changed or blocked"}, Msg{"该账户全部打款均未到", "all payouts to the account are late"}},
			{"risk_hold", Msg{"风控暂扣", "held for risk"}, Msg{"前后打款正常，独缺这笔", "its neighbours were paid"}},
		}},
	{reconcile.B03, Msg{"少到", "Credit short"},
		Msg{"入账少于应到打款。", "The credit is less than the payout."},
		Msg{"请收单说明差额；可能还有第二笔。", "Ask the acquirer to name the gap; a second part may follow."},
		[]Cause{
			{"deduction", Msg{"打款时被扣", "something was deducted"}, Msg{"差额未见于明细", "the gap is in no row"}},
			{"bank_fee", Msg{"银行扣手续费", "a bank charge"}, Msg{"差额为固定小额", "a small round gap"}},
			{"partial", Msg{"分笔打款", "paid in parts"}, Msg{"差额恰等于另一待到额", "the gap equals another open amount"}},
		}},
	{reconcile.B04, Msg{"多到", "Credit over"},
		Msg{"入账多于应到打款。", "The credit is more than the payout."},
		Msg{"先找多出的部分属于谁，不要动用。", "Find whose the rest is before using it."},
		[]Cause{
			{"merged", Msg{"并入了别的打款", "another payout is in it"}, Msg{"多出额接近另一打款", "the rest is close to another payout"}},
			{"duplicate", Msg{"重复打款", "paid in part twice"}, Msg{"多出额见于前日", "the rest was paid before"}},
		}},
	{reconcile.B06, Msg{"多笔合并入账", "Several payouts in one credit"},
		Msg{"一笔入账由几笔打款合成，已逐笔证明。", "One credit is made of several payouts, each proved."},
		Msg{"无需处理，分解见「资金」。", "Nothing to do; sheet Payouts shows the parts."},
		[]Cause{
			{"holiday_bundle", Msg{"节假日合并打款", "bundled over a holiday"}, Msg{"账期连续且含非工作日", "contiguous days with a non-workday"}},
			{"min_payout", Msg{"未达起付额累计", "saved up to a minimum"}, Msg{"单笔低于起付额", "each is below the minimum"}},
		}},
	{reconcile.B08, Msg{"不明入账", "Credit without a payout"},
		Msg{"付款方是收单机构，但没有对应的打款。", "An acquirer paid in, and no payout is known for it."},
		Msg{"查清归属；若打款文件未到，文件到后自动消除。", "Find what it is for; it clears by itself if the payout's file was late."},
		[]Cause{
			{"payout_file_late", Msg{"打款文件未到", "the payout's file is late"}, Msg{"附言含商户号", "the remittance names a merchant of ours"}},
			{"other_product", Msg{"其他产品的款项", "money of another product"}, Msg{"无对应商户号", "no merchant of ours is named"}},
		}},
	{reconcile.B13, Msg{"重复打款", "Paid twice"},
		Msg{"一笔打款到账两次。", "One payout was credited twice."},
		Msg{"不要动用，通知收单；预计会被扣回。", "Do not spend it; tell the acquirer and expect it to be taken back."},
		[]Cause{{"acquirer_error", Msg{"收单重复付款", "the acquirer paid twice"}, Msg{"两笔入账金额与附言相同", "equal amount and remittance"}}}},
	{reconcile.B14, Msg{"收单扣款", "Debit by an acquirer"},
		Msg{"收单机构从账户扣款。", "An acquirer took money from the account."},
		Msg{"对照负净额（P08）、重复打款（B13）或拒付，确认扣款依据。", "Compare with P08, B13 or a chargeback and have the reason confirmed."},
		[]Cause{
			{"negative_balance", Msg{"追回负净额或重复款", "a negative balance or a double payment is recovered"}, Msg{"付款方是收单机构", "the other party is an acquirer"}},
			{"returned", Msg{"打款被退回", "the payout was taken back"}, Msg{"同日有同额入账", "a credit of the same amount stands on the same day"}},
		}},
}

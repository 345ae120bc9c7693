package text

import "daozhang/reconcile"

// payoutClasses words the classes inside a payout.
var payoutClasses = []Entry{
	{reconcile.P01, Msg{"打款构成不平", "Payout is not its parts"},
		Msg{"通知的打款额不等于明细合计；余额单列，不隐藏。", "The payout stated is not the sum of its rows; the remainder is shown, never hidden."},
		Msg{"请收单说明差额的名目和依据。", "Ask the acquirer to name the remainder."},
		[]Cause{
			{"unknown_deduction", Msg{"未说明的扣款", "a deduction without a name"}, Msg{"打款少于合计", "less was paid than the rows add up to"}},
			{"missing_row", Msg{"明细缺行", "a row is missing"}, Msg{"余额恰等于一笔交易", "the remainder equals one transaction"}},
			{"carried", Msg{"含以前未付余额", "includes an earlier balance"}, Msg{"打款多于合计", "more was paid than the rows add up to"}},
		}},
	{reconcile.P02, Msg{"手续费不符", "Fee differs from contract"},
		Msg{"实收手续费与合同计算不同。", "The fee charged is not what the contract gives."},
		Msg{"引用合同条款向收单追回差额。", "Claim the difference, quoting the contract line."},
		[]Cause{
			{"rate_changed", Msg{"费率被调整", "the rate was changed"}, Msg{"多笔按同一新费率计收", "several rows fit one other rate"}},
			{"cap_ignored", Msg{"未按封顶计收", "the cap was not applied"}, Msg{"费用高于封顶", "the fee lies above the cap"}},
			{"wrong_card_class", Msg{"卡种归错", "the wrong card class"}, Msg{"符合另一卡种的费率", "it fits the rate of another card class"}},
			{"rounding", Msg{"舍入方法不同", "rounded otherwise"}, Msg{"差额不超过一分", "differs by a fen at most"}},
		}},
	{reconcile.P08, Msg{"净额为零或负", "Payout of zero or less"},
		Msg{"当期退款和费用不少于收款，不会有入账。", "Refunds and fees reach the sales of the cycle; no credit is to come."},
		Msg{"预计结转或被扣款，通知资金岗。", "Expect a carry or a debit; tell the cash desk."},
		[]Cause{{"refunds_exceed", Msg{"退款多于收款", "refunds exceed sales"}, Msg{"合计不大于零", "the sum is zero or less"}}}},
}

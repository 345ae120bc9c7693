package text

var severities = []Msg{
	{"○ 提示", "○ Info"}, {"● 低", "● Low"}, {"◆ 中", "◆ Medium"}, {"▲ 高", "▲ High"}, {"■ 紧急", "■ Critical"},
}

// words names values: owners, states, reasons and the like. Keys are family.value.
var words = map[string]Msg{
	"owner.": {"无需处理", "none"}, "owner.store": {"门店", "store"}, "owner.acquirer": {"收单", "acquirer"},
	"owner.bank": {"银行", "bank"}, "owner.finance": {"财务", "finance"}, "owner.system": {"系统", "IT"},

	"state.matched": {"已对上", "matched"}, "state.in_window": {"在途", "waiting"}, "state.exception": {"差异", "exception"},
	"state.explained": {"已解释", "explained"}, "state.excluded": {"已排除", "excluded"}, "state.rejected": {"被拒行", "rejected"},

	"reason.not_due": {"未到期", "not due"}, "reason.evidence_not_due": {"凭证未到期", "evidence not due"},
	"reason.evidence_missing": {"凭证缺失", "evidence missing"}, "reason.feed_held": {"文件暂停采用", "file held"},
	"reason.voided": {"已撤销，两边均未清算", "voided, neither cleared"}, "reason.never_cleared": {"结果不明且从未清算", "unknown outcome, never cleared"},
	"reason.carried_negative": {"净额为零或负，结转", "zero or less, carried"}, "reason.declined": {"终端拒绝", "declined"},
	"reason.duplicate_upload": {"重复上传", "uploaded twice"}, "reason.second_witness": {"佐证来源", "second witness"},
	"reason.before_go_live": {"启用日之前", "before go-live"}, "reason.unrelated": {"与收单无关", "not an acquirer's"},
	"reason.no_money": {"不涉及资金", "moves no money"},

	"status.open": {"待处理", "open"}, "status.in_window": {"在途", "waiting"}, "status.explained": {"已解释", "explained"},
	"status.decided": {"已裁决", "decided"}, "status.cleared": {"已结清", "cleared"},

	"life.new": {"新增", "new"}, "life.open": {"延续", "carried over"}, "life.reopened": {"重新打开", "reopened"},
	"life.cleared": {"今日结清", "cleared today"},

	"verdict.balanced": {"平", "Balanced"}, "verdict.differences": {"有差异", "Differences"},
	"verdict.incomplete": {"证据不全", "Incomplete evidence"}, "verdict.preliminary": {"初步", "Preliminary"},
	"verdictline.balanced":    {"凭证已到齐，没有差异，没有暂挂。", "All evidence is in; no difference, nothing held back."},
	"verdictline.differences": {"凭证已到齐，每一笔差异都已列为案件。", "All evidence is in; every difference is a case below."},
	"verdictline.incomplete":  {"有文件缺失或暂停采用，依赖它们的行已暂挂，不算差异。", "A file is missing or held; rows that depend on it are held back and are not counted as differences."},
	"verdictline.preliminary": {"还有文件未到约定时间，到齐后会出正式版。", "Some files are not due yet; the final book follows when they are in."},

	"slot.not_due": {"… 未到时间", "… not due"}, "slot.missing": {"✗ 未到", "✗ missing"}, "slot.received": {"✓ 已到", "✓ received"},
	"slot.received_empty": {"✓ 已到（空）", "✓ received, empty"},

	"leg.": {"–", "–"}, "leg.T-A": {"终端–收单", "terminal–acquirer"}, "leg.A-B": {"收单–银行", "acquirer–bank"},
	"side.": {"–", "–"}, "side.T": {"终端", "terminal"}, "side.A": {"收单", "acquirer"}, "side.B": {"银行", "bank"},

	"kind.sale": {"消费", "sale"}, "kind.void": {"撤销", "void"}, "kind.refund": {"退款", "refund"}, "kind.reversal": {"冲正", "reversal"},
	"kind.preauth": {"预授权", "preauth"}, "kind.completion": {"预授权完成", "completion"}, "kind.fee": {"手续费", "fee"},
	"kind.adjustment": {"调整", "adjustment"}, "kind.chargeback": {"退单", "chargeback"}, "kind.reserve": {"保证金", "reserve"},
	"kind.payout": {"打款", "payout"}, "kind.credit": {"入账", "credit"}, "kind.debit": {"扣账", "debit"},

	"channel.card": {"银行卡", "card"}, "channel.wechat": {"微信", "WeChat Pay"}, "channel.alipay": {"支付宝", "Alipay"},
	"channel.unionpay_qr": {"银联二维码", "UnionPay QR"}, "channel.online": {"线上", "online"}, "channel.other": {"其他", "other"},

	"rowstatus.approved": {"成功", "approved"}, "rowstatus.processing": {"处理中", "processing"}, "rowstatus.unknown": {"结果不明", "unknown"},
	"rowstatus.declined": {"拒绝", "declined"}, "rowstatus.failed": {"失败", "failed"}, "rowstatus.closed": {"已关闭", "closed"},

	"field.amount": {"金额", "amount"}, "field.status": {"结果", "outcome"}, "field.terminal_id": {"终端号", "terminal"},
	"field.store_id": {"门店", "store"}, "field.txn_time": {"时间", "time"}, "field.kind": {"交易", "kind"},
	"field.channel": {"渠道", "channel"}, "field.currency": {"币种", "currency"}, "field.merchant_id": {"商户号", "merchant"},
	"field.rrn": {"参考号", "RRN"}, "field.trace_no": {"流水号", "trace number"}, "field.batch_no": {"批次", "batch"},
	"field.auth_code": {"授权码", "auth code"}, "field.card_no": {"卡尾号", "card tail"}, "field.order_no": {"订单号", "order"},
	"field.fee": {"手续费", "fee"}, "field.business_date": {"清算日", "clearing day"},

	"basis.announced": {"收单通知", "announced"}, "basis.derived": {"推算", "derived"},
}

// sheets names the sheets, in the order of the workbook.
var sheets = map[string]Msg{
	"summary": {"概览", "Summary"}, "control": {"控制总额", "Control"}, "exceptions": {"异常", "Exceptions"},
	"roll": {"未达滚动", "Roll-forward"}, "differences": {"调整", "Differences"}, "totals": {"汇总", "Totals"},
	"payouts": {"资金", "Payouts"}, "open_items": {"未达明细", "Open items"}, "cleared": {"已结清", "Cleared"},
	"files": {"文件", "Files"}, "notes": {"说明", "Notes"},
}

// headings names columns by their machine key.
var headings = map[string]Msg{
	"no": {"序号", "No."}, "severity": {"级别", "Severity"}, "class": {"类别", "Class"}, "place": {"门店 / 终端", "Place"},
	"reference": {"参考号", "Reference"}, "amount": {"应有金额", "Expected"}, "other_amount": {"实际金额", "Found"},
	"difference": {"差额", "Difference"}, "currency": {"币种", "Ccy"}, "age_days": {"逾期天数", "Days past due"},
	"due_date": {"应到日", "Due date"}, "cause": {"可能原因（推断）", "Probable cause (inferred)"}, "owner": {"责任方", "Owner"},
	"action": {"下一步", "Next step"}, "status": {"状态", "Status"}, "case_id": {"案件号", "Case"},
	"first_seen": {"首次出现", "First seen"}, "lines": {"明细行数", "Lines"}, "near_pass": {"接近的匹配规则", "Passes that came close"},
	"differs": {"不同之处（左|右）", "What differs (left|right)"}, "candidates": {"候选", "Candidates"}, "due_note": {"应到日依据", "Why that date"},
	"leg": {"环节", "Leg"}, "settle_date": {"清算日", "Clearing day"}, "fee": {"手续费", "Fee"}, "payout_id": {"打款号", "Payout"},
	"bank_ref": {"银行流水号", "Bank reference"}, "cluster_id": {"归并号", "Cluster"}, "evidence": {"凭证", "Evidence"},

	"side_1": {"左：来源", "Left: side"}, "side_2": {"右：来源", "Right: side"}, "kind_1": {"左：交易", "Left: kind"}, "kind_2": {"右：交易", "Right: kind"},
	"rowstatus_1": {"左：结果", "Left: outcome"}, "rowstatus_2": {"右：结果", "Right: outcome"},
	"channel_1": {"左：渠道", "Left: channel"}, "channel_2": {"右：渠道", "Right: channel"},
	"merchant_id_1": {"左：商户号", "Left: merchant"}, "merchant_id_2": {"右：商户号", "Right: merchant"},
	"store_id_1": {"左：门店", "Left: store"}, "store_id_2": {"右：门店", "Right: store"},
	"terminal_id_1": {"左：终端号", "Left: terminal"}, "terminal_id_2": {"右：终端号", "Right: terminal"},
	"batch_no_1": {"左：批次", "Left: batch"}, "batch_no_2": {"右：批次", "Right: batch"},
	"trace_no_1": {"左：流水号", "Left: trace"}, "trace_no_2": {"右：流水号", "Right: trace"},
	"rrn_1": {"左：参考号", "Left: RRN"}, "rrn_2": {"右：参考号", "Right: RRN"},
	"auth_code_1": {"左：授权码", "Left: auth code"}, "auth_code_2": {"右：授权码", "Right: auth code"},
	"card_no_1": {"左：卡尾号", "Left: card tail"}, "card_no_2": {"右：卡尾号", "Right: card tail"},
	"order_no_1": {"左：订单号", "Left: order"}, "order_no_2": {"右：订单号", "Right: order"},
	"txn_amount_1": {"左：金额", "Left: amount"}, "txn_amount_2": {"右：金额", "Right: amount"},
	"txn_time_1": {"左：时间", "Left: time"}, "txn_time_2": {"右：时间", "Right: time"},
	"file_1": {"左：文件", "Left: file"}, "file_2": {"右：文件", "Right: file"}, "line_1": {"左：行", "Left: line"}, "line_2": {"右：行", "Right: line"},

	"open_days": {"挂了几天", "Days open"}, "cleared_by": {"因何结清", "What cleared it"}, "txn_time": {"交易时间", "Time"},
	"file": {"文件", "File"}, "line": {"行", "Line"}, "acquirer": {"收单方", "Acquirer"}, "kind": {"交易", "Kind"},
	"channel": {"渠道", "Channel"}, "rows": {"笔数", "Rows"},

	"side": {"来源", "Side"}, "opening_rows": {"期初笔数", "Opening rows"}, "opening_amount": {"期初金额", "Opening amount"},
	"new_rows": {"新增笔数", "New rows"}, "new_amount": {"新增金额", "New amount"}, "cleared_rows": {"结清笔数", "Cleared rows"},
	"cleared_amount": {"结清金额", "Cleared amount"}, "reclassified_rows": {"改类笔数", "Reclass. rows"},
	"reclassified_amount": {"改类金额", "Reclassified amount"}, "closing_rows": {"期末笔数", "Closing rows"},
	"closing_amount": {"期末金额", "Closing amount"}, "check_rows": {"核对笔数", "Check rows"}, "check_amount": {"核对金额", "Check amount"},

	"cause_name": {"可能原因", "Probable cause"}, "cases": {"案件", "Cases"}, "stake": {"涉及金额", "At stake"},
	"oldest": {"最长逾期", "Oldest (days)"}, "largest": {"最大一笔参考号", "Largest: reference"}, "cause_code": {"原因代码", "Cause code"},

	"level": {"层级", "Level"}, "store_id": {"门店", "Store"}, "terminal_id": {"终端号", "Terminal"},
	"terminal_rows": {"终端笔数", "Terminal rows"}, "terminal_amount": {"终端金额", "Terminal amount"},
	"acquirer_side_rows": {"收单笔数", "Acquirer rows"}, "acquirer_side_amount": {"收单金额", "Acquirer amount"},
	"matched_rows": {"对上笔数", "Matched rows"}, "matched_amount": {"对上金额", "Matched amount"},
	"waiting_rows": {"在途笔数", "Waiting rows"}, "waiting_amount": {"在途金额", "Waiting amount"},
	"exceptions_rows": {"差异笔数", "Exception rows"}, "exceptions_amount": {"差异金额", "Exception amount"},
	"gap": {"终端减收单", "Terminal less acquirer"},

	"proofstate": {"状态", "State"}, "days": {"账期", "Business days"}, "sales": {"收款", "Sales"}, "refunds": {"退款", "Refunds"},
	"fees": {"手续费", "Fees"}, "adjust": {"调整", "Adjustments"}, "reserve": {"保证金", "Reserve"}, "carried": {"结转", "Carried"},
	"rounding": {"舍入", "Rounding"}, "expected": {"应到净额", "Net expected"}, "credit": {"银行入账", "Bank credit"},
	"remainder": {"余额", "Remainder"}, "credit_date": {"入账日", "Credited"}, "merchant_id": {"商户号", "Merchant"},
	"basis": {"依据", "Basis"}, "pass": {"匹配规则", "Pass"}, "account": {"账户", "Account"}, "credit_file": {"入账文件", "Credit: file"},
	"credit_line": {"行", "Line"}, "members": {"组成文件", "Composed from"},

	"source": {"来源", "Source"}, "slotstate": {"状态", "State"}, "slot": {"位置", "Slot"}, "business_date": {"账期", "Business date"},
	"rejected": {"被拒行", "Rejected"}, "controls": {"控制总数", "Control totals"}, "held_rows": {"暂挂笔数", "Rows held"},
	"held_amount": {"暂挂金额", "Amount held"}, "why": {"说明", "Why"}, "received": {"到达时间", "Received"}, "due": {"应到时间", "Due"},
	"revision": {"版本", "Rev."}, "aliases": {"别名", "Also came as"}, "sha256": {"SHA-256", "SHA-256"},

	"bridge": {"项目", "Item"}, "no_credit_yet": {"尚无入账", "No credit yet"}, "credit_and_gap": {"银行入账", "Bank credit"},
	"opening_all": {"期初未达", "Opening"}, "cleared_net": {"本期净额", "Net cleared"}, "found": {"已到账", "Found"},
	"short": {"少到", "Short"}, "over": {"多到", "Over"}, "written_off": {"核销", "Written off"}, "in_transit": {"在途", "In transit"},
	"overdue": {"逾期", "Overdue"}, "held": {"暂挂", "Held"}, "matched": {"已对上", "Matched"}, "in_window": {"在途", "Waiting"},
	"exception": {"差异", "Exception"}, "explained": {"已解释", "Explained"}, "excluded": {"已排除", "Excluded"},
	"rows_all": {"合计", "All rows"}, "carried_in": {"其中期初带入", "Carried in"},

	"age_days_short": {"逾期天", "Days"}, "amount_class": {"金额", "Amount"}, "amount_short": {"未到金额", "Not arrived"},
	"held_rows_short": {"暂挂笔数", "Rows held"}, "party": {"对方", "Party"}, "payouts_n": {"打款数", "Payouts"},
	"payouts_sum": {"打款金额", "Payout amount"}, "sales_n": {"交易数", "Rows"}, "sales_sum": {"交易金额", "Row amount"},
	"slotstate_short": {"状态", "State"}, "tie_rest": {"未解释余额", "Unexplained"}, "top_class": {"最大一笔", "Largest case"},
	"top_reference": {"最大一笔参考号", "Reference to quote"},
}

// labels are all other fixed texts. Those with verbs take their figures in the order of the Chinese text.
var labels = map[string]Msg{
	"doc_title": {"对账差异", "Settlement reconciliation"},
	"masthead":  {"账期 %s %s    第 %d 版    截至 %s（%s）", "Business date %s, %s    revision %d    as of %s (%s)"},
	"awaited":   {"还在等：", "Still awaited: "}, "comma": {"、", ", "}, "none": {"✓ 无", "✓ none"}, "total": {"合计", "Total"},
	"later": {"更晚", "later"}, "others": {"其余 %d 项，见明细", "%d more, see the sheet"}, "due_unknown": {"到期日未知", "date unknown"},
	"produced": {"%s 生成，截至 %s。金额为主单位；时间为当地时间。带下划线处可点击跳转。", "Made by %s as of %s. Amounts in major units, times local. Underlined cells lead to the detail."},

	"block_short":   {"应到未到", "Should have arrived and did not"},
	"block_due":     {"未到期（只是还没到日子）", "Merely not due, and when it is"},
	"block_missing": {"缺少或暂停采用的文件（暂挂）", "Files missing or held, and what waits for them"},
	"block_age":     {"未结案件按逾期天数", "Open cases by days past due"},
	"block_tie":     {"资金核对", "Money tie-out"},
	"block_call":    {"需要联系的对方", "Whom to call"},
	"block_top":     {"金额最大的十个案件", "The ten largest cases"},
	"block_class":   {"按类别", "By class"},
	"block_cleared": {"原来挂着、今天结清的", "Open before, gone today"},
	"stake_in":      {"涉及金额（%s）", "At stake (%s)"},
	"age_0":         {"未逾期", "not past due"}, "age_1": {"1–3 天", "1–3 days"}, "age_2": {"4–7 天", "4–7 days"},
	"age_3": {"8–30 天", "8–30 days"}, "age_4": {"30 天以上", "over 30 days"},
	"none_missing":  {"✓ 文件齐全，没有暂挂", "✓ every file is in, nothing is held"},
	"none_call":     {"✓ 今天不需要联系任何一方", "✓ nobody needs to be called"},
	"none_cleared":  {"今天没有结清的案件", "nothing cleared today"},
	"missing_short": {"✗ 未到", "✗ missing"}, "held_short": {"■ 暂停", "■ held"}, "held_total": {"暂挂合计", "Held in all"},
	"cleared_count": {"共 %d 个案件，逐个原因见「已结清」", "%d cases; each with its reason on sheet Cleared"},

	"cases":             {"共 %d 个案件，按级别、金额排列", "%d cases, gravest and largest first"},
	"capped":            {"只列前 %d 个，共 %d 个案件；全部见同目录 exceptions.csv", "the first %d of %d cases; all of them are in exceptions.csv beside this file"},
	"filtered_sum":      {"筛选后合计", "sum of filtered"},
	"evidence_complete": {"完整", "complete"}, "evidence_held": {"暂挂", "held"},
	"cleared_note":     {"%d 个案件今天结清；「因何结清」写明匹配规则和对方所在文件行", "%d cases cleared today; what cleared each, with file and line"},
	"cleared_unknown":  {"凭证已更正", "evidence was corrected"},
	"open_note":        {"%d 笔，都还没到期，按应到日排列，无需处理", "%d items, none of them due yet, by due date; nothing to do"},
	"roll_note":        {"期初 + 新增 − 结清 ± 改类 = 期末", "opening + new − cleared ± reclassified = closing"},
	"differences_note": {"未结案件按类别和可能原因合并", "open cases by class and probable cause"},
	"totals_note":      {"同一组数字按收单方、门店、终端三层列出，可按「层级」筛选", "the same figures by acquirer, store and terminal; filter by level"},
	"payouts_note":     {"收款 + 退款 + 手续费 ± 调整 ± 保证金 ± 结转 + 舍入 = 应到净额；余额 = 银行入账 − 应到净额", "sales + refunds + fees ± adjustments ± reserve ± carried + rounding = net expected; remainder = credit − expected"},
	"files_note":       {"每个应到或已到的文件及其控制总数", "every file awaited or received, with its control totals"},
	"control_note":     {"三方凭证逐项相抵；带 ✓ 的格子应为零", "the three kinds of evidence against each other; cells with ✓ ought to be zero"},
	"notes_note":       {"名词、状态、类别和本账出处", "what the words mean, and what this book was made from"},
	"group_line":       {"%d 笔打款合并为一笔入账", "%d payouts in one credit"},
	"slot_held":        {"暂停采用", "held"},
	"control_bad":      {"%s：自报 %s，实算 %s", "%s: stated %s, computed %s"},
	"level_acquirer":   {"收单方", "Acquirer"}, "level_store": {"门店", "Store"}, "level_terminal": {"终端", "Terminal"},

	"block_bridge":      {"一、终端与收单", "1. Terminal against acquirer"},
	"block_composition": {"二、打款构成与银行入账", "2. What payouts consist of, and what the bank shows"},
	"block_tieout":      {"三、在途资金核对：期初 + 本期净额 = 已到账 + 少到 − 多到 + 核销 + 在途 + 逾期 + 暂挂 + 余额", "3. Money in transit: opening + net cleared = found + short − over + written off + in transit + overdue + held + remainder"},
	"block_identity":    {"四、行数守恒：读入 + 带入 = 六种状态之和", "4. No row lost: rows read + carried in = the sum of the six states"},
	"bridge_total":      {"全部", "All rows"}, "less": {"减：", "less: "}, "bridge_matched": {"两边对上", "Matched on both sides"},
	"bridge_rest":      {"应为零", "ought to be zero"},
	"composition_rest": {"入账 + 尚无入账 − 应到 =", "credit + not yet − expected ="},

	"notes_book": {"本账", "This book"}, "notes_words": {"名词", "Words"}, "notes_states": {"行的六种状态", "The six states of a row"},
	"notes_classes": {"本账出现的类别", "Classes in this book"}, "as_of": {"截至时间", "As of"}, "go_live": {"启用日", "First business date"},
	"program": {"程序", "Program"}, "config_digest": {"配置摘要", "Configuration digest"},
	"before_line": {"%s %s：%d 笔，%s %s", "%s %s: %d rows, %s %s"},

	"state_matched":   {"两边都有且一致。", "On both sides, and they agree."},
	"state_in_window": {"还在等：未到期，或所需文件未到、缺失、暂停采用。不算差异。", "Waiting: not due, or the file it needs is not due, missing or held. No difference."},
	"state_exception": {"证据齐全、已过到期日，仍对不上。每一笔都是一个案件。", "Evidence complete, due date past, and still no agreement. Each is a case."},
	"state_explained": {"按规则解释清楚，例如当日撤销。", "Explained by a named rule, such as a sale voided the same day."},
	"state_excluded":  {"按规则不参与，例如终端拒绝、与收单无关的银行流水。照样计数。", "Left out by a named rule, such as a declined sale. Still counted."},
	"state_rejected":  {"不符合文件格式的行，逐行列出。", "Breaks the layout of its file; each is listed."},
}

// notes explains the words of the book.
var notes = [][2]Msg{
	{{"应到未到", "Should have arrived"}, {"到期日已过、证据齐全而没有到的钱：逾期打款、少到、终端有收单无、金额少清、打款构成少付、多收手续费。各项互不重叠。", "Money past its due date, with all evidence in, that did not come: overdue payouts, short credits, sales without clearing, amounts cleared short, unnamed deductions, overcharged fees. They do not overlap."}},
	{{"未到期", "Not due"}, {"按合同还没到日子的钱，不是差异。「交易」是还没清算的终端交易，「打款」是已知而未到日的打款。", "Money that the contract does not owe yet; no difference. Rows are sales that are not cleared yet, payouts are known and not due."}},
	{{"应到日", "Due date"}, {"日切、结算周期（T+n 或 D+n）与含调休的日历共同决定。", "From cut-off, cycle (T+n or D+n) and the calendar with its make-up workdays."}},
	{{"暂挂", "Held back"}, {"所需文件缺失或不可用，因此不下结论的行。文件到达后自动放行。", "Rows without a verdict because a file they need is missing or unusable. They are released when it comes."}},
	{{"案件", "Case"}, {"一件事从发现到结清的全过程，编号不变；一个案件可有多个类别。", "One matter from discovery to its end under one number; a case may carry several classes."}},
	{{"类别与原因", "Class and cause"}, {"类别是事实；原因是推断，括号内写明依据。", "A class is a fact; a cause is an inference, with its signal in brackets."}},
	{{"涉及金额", "At stake"}, {"两边都有金额时为差额的绝对值，只有一边时为该边金额；仅因缺文件而暂挂的金额不计。", "The size of the difference where both sides have an amount, else the only amount; sums that merely wait for a file are left out."}},
	{{"逾期天数", "Days past due"}, {"从应到日算起，以账期当日营业终了为准。", "Counted from the due date, as of the close of the business date."}},
	{{"左与右", "Left and right"}, {"终端–收单环节：左为终端，右为收单；收单–银行环节：左为收单，右为银行。", "Leg terminal–acquirer: terminal left, acquirer right. Leg acquirer–bank: acquirer left, bank right."}},
	{{"推算的打款", "Derived payout"}, {"收单方没有打款通知，由系统按明细合计；只有银行入账能证明它。", "The acquirer announces none, so it is summed from rows; only a bank credit proves it."}},
	{{"正负号", "Signs"}, {"流向商户为正；手续费在「资金」里以负数相加。", "Money towards the merchant is positive; fees enter the sums of sheet Payouts as negatives."}},
	{{"打印", "On paper"}, {"异常表和资金表只打印前几列，双方证据列在屏幕上向右查看。", "Sheets Exceptions and Payouts print their first columns; the evidence of both sides is to the right on screen."}},
	{{"⚠ 金额", "⚠ amounts"}, {"超过 15 位的金额以文本保存并加 ⚠，电子表格无法精确计算。", "Amounts of more than 15 digits are kept as text with ⚠; a spreadsheet cannot hold them exactly."}},
	{{"…[+n]", "…[+n]"}, {"文本超过单元格上限，省略了 n 个字符；全文见 exceptions.csv。", "The text was longer than a cell can be, n characters are left out; exceptions.csv has them."}},
}

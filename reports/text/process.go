package text

import "daozhang/reconcile"

// processClasses words the classes about our own work: what was said before, by whom, and what stands against it now.
// The causes of X01 and X03 are the kinds of what became known (see [InputKind]); the first one claims none.
var processClasses = []Entry{
	{reconcile.X01, Msg{"重述", "Restated"},
		Msg{"已出具的正式账对这个案件另有说法；因后来得知的事，本版改了。", "A final book that was issued says otherwise of this case; what became known later changed it."},
		Msg{"到「本次变更」看原来怎么说、现在怎么说、因为什么；前一版保留备查。", "See on sheet Changes what was said, what is said now, and why; the former revision is kept."},
		[]Cause{
			{"later_evidence", Msg{"后来得知的事", "what became known later"}, Msg{"见「本次变更」", "see sheet Changes"}},
			{"late_file", Msg{"迟到的文件到了", "a late file came"}, Msg{"到达时间晚于约定时间", "it arrived past its deadline"}},
			{"corrected_file", Msg{"对方更正了文件", "a file was corrected"}, Msg{"同一份文件来了新版", "a newer version of a file came"}},
			{"new_file", Msg{"补来了文件", "another file came"}, Msg{"上一版没有这份文件", "the former book did not have it"}},
			{"withdrawn_file", Msg{"有文件被撤下", "a file was withdrawn"}, Msg{"上一版用过的文件不再采用", "a file that counted before does not any more"}},
			{"slot_state", Msg{"有文件到了约定时间", "a file's deadline passed"}, Msg{"上一版时还没到时间", "it was not due when the former book was made"}},
			{"decision", Msg{"有人作了裁决", "a person decided"}, Msg{"裁决在上一版之后录入", "entered after the former book"}},
			{"register", Msg{"登记表改了", "the register was changed"}, Msg{"当日有效的登记行不同", "other rows are valid that day"}},
			{"carry", Msg{"前一日的账变了", "the day before changed"}, Msg{"期初带入与上一版不同", "what was carried in differs"}},
			{"lookup", Msg{"更早日期的记录变了", "records of an earlier date changed"}, Msg{"查找原交易的结果不同", "look-ups of originals answer otherwise"}},
			{"config", Msg{"配置改了", "the configuration was changed"}, Msg{"配置摘要不同", "its digest differs"}},
			{"program", Msg{"程序升级", "the program was upgraded"}, Msg{"程序版本不同", "its version differs"}},
		}},
	{reconcile.X02, Msg{"裁决与新凭证不符", "Decision contradicted"},
		Msg{"案件已有裁决，但之后的凭证与裁决时不同，裁决不再生效。", "The case was decided, but the evidence is not any more what it was then; the decision no longer holds."},
		Msg{"对照新凭证重新看这个案件，再裁决一次。", "Look at the case again with the new evidence and decide anew."},
		[]Cause{
			{"evidence_changed", Msg{"凭证与裁决时不同", "the evidence is not what it was then"}, Msg{"案件的行或类别不同", "other rows or another class"}},
			{"facts_changed", Msg{"对方更正了这一行", "the row was corrected"}, Msg{"同一行，金额、状态或日期不同", "the same row with another amount, status or date"}},
			{"evidence_withdrawn", Msg{"这一行被撤下", "the row was withdrawn"}, Msg{"裁决时的行已不在文件中", "it is not in the files any more"}},
			{"overtaken", Msg{"后来对上了", "the rows match after all"}, Msg{"缺的一方到了，案件自行结清", "the missing side came and cleared the case"}},
			{"class_changed", Msg{"案件换了类别", "the case is of another class now"}, Msg{"裁决时是另一类别", "it was of another class when it was decided"}},
			{"members_changed", Msg{"案件里多了一行", "another row joined the case"}, Msg{"案件的行与裁决时不同", "the case has other rows than when it was decided"}},
		}},
	{reconcile.X03, Msg{"已关账日期有变动", "Change to a closed date"},
		Msg{"后来得知的事会改变已关账的日期。那天的账不动，变动记在第一个未关账日。", "What became known later would change a closed date. That date's book stays; the change stands on the first open date."},
		Msg{"财务负责人确认；确需改那天的账，先重新打开再重跑。", "The head of finance confirms it; to change that date's book, reopen it and run it again."},
		[]Cause{
			{"later_evidence", Msg{"后来得知的事", "what became known later"}, Msg{"见「本次变更」", "see sheet Changes"}},
			{"late_file", Msg{"迟到的文件到了", "a late file came"}, Msg{"到达时间晚于约定时间", "it arrived past its deadline"}},
			{"corrected_file", Msg{"对方更正了文件", "a file was corrected"}, Msg{"同一份文件来了新版", "a newer version of a file came"}},
			{"withdrawn_file", Msg{"有文件被撤下", "a file was withdrawn"}, Msg{"上一版用过的文件不再采用", "a file that counted before does not any more"}},
			{"decision", Msg{"有人作了裁决", "a person decided"}, Msg{"裁决在上一版之后录入", "entered after the former book"}},
			{"register", Msg{"登记表改了", "the register was changed"}, Msg{"当日有效的登记行不同", "other rows are valid that day"}},
			{"carry", Msg{"前一日的账变了", "the day before changed"}, Msg{"期初带入与上一版不同", "what was carried in differs"}},
		}},
	{reconcile.X05, Msg{"配置缺口", "Configuration gap"},
		Msg{"该日期没有可用的合同、日历或账户登记。", "No contract, calendar or account is registered for that date."},
		Msg{"按提示补登记表或日历文件，再重跑该日。", "Add the named register row or calendar file, then rerun the date."},
		[]Cause{
			{"no_contract", Msg{"合同未登记或已过期", "no contract is valid on that date"}, Msg{"登记表中无有效行", "no valid register row"}},
			{"no_calendar", Msg{"年度日历未加载", "the year's calendar is not loaded"}, Msg{"到期日落入未加载的年份", "the due date reaches into that year"}},
			{"no_account", Msg{"结算账户未登记", "the settlement account is not registered"}, Msg{"登记表中无此账户", "no such account in the register"}},
		}},
}

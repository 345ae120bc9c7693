package text

import "daozhang/reconcile"

// fileClasses words the classes about files and feeds.
var fileClasses = []Entry{
	{reconcile.F01, Msg{"文件未到", "File missing"},
		Msg{"到了约定时间仍没有收到这个文件；依赖它的行全部暂挂，不算差异。", "The file had not come by its deadline; the rows that depend on it are held back and are not counted as differences."},
		Msg{"请对方重发；文件到达后系统自动重跑该日，暂挂行随之放行。", "Ask for it to be sent again; the date is rerun when it arrives and the held rows are released."},
		[]Cause{
			{"not_delivered", Msg{"对方尚未生成或推送", "not yet produced or sent by the other side"}, Msg{"目录可读，但没有匹配的文件", "folder readable, no matching file"}},
			{"holiday", Msg{"当天无交易或节假日不出文件", "no file on a holiday or a day without business"}, Msg{"该日为非工作日", "the day is no workday"}},
			{"listing_failed", Msg{"服务器连不上或无权限", "server unreachable or access refused"}, Msg{"列目录失败", "the folder could not be listed"}},
			{"name_changed", Msg{"文件改名，与规则不符", "file renamed, no rule matches"}, Msg{"目录中有未识别的文件", "the folder holds files that no rule names"}},
		}},
	{reconcile.F02, Msg{"文件迟到", "File late"},
		Msg{"文件在约定时间之后才到。账已按到齐的文件算过，原来暂挂的行已放行。", "The file came after its deadline. The book counts it; the rows that waited for it are released."},
		Msg{"无需补账；同一来源经常迟到时，请对方改进或调整约定时间。", "Nothing to book; where a source is often late, have it mended or agree on a later time."},
		[]Cause{
			{"sent_late", Msg{"对方推送晚了", "sent late by the other side"}, Msg{"到达时间晚于约定时间", "it arrived past its deadline"}},
			{"after_closing", Msg{"关账之后才到", "came after the books were closed"}, Msg{"账期已关账，行记在第一个未关账日", "its date is closed, its rows stand on the first open date"}},
			{"outage", Msg{"服务器或网络中断", "server or network was down"}, Msg{"同一时段多个来源都晚到", "several sources were late at that time"}},
		}},
	{reconcile.F03, Msg{"文件截断", "File cut short"},
		Msg{"文件没有结尾标记，或行数少于文件自报。", "The file lacks its trailer or has fewer rows than it says."},
		Msg{"等文件写完后重新下载；保留坏文件备查。", "Fetch it again once it has stopped growing; keep the bad copy."},
		[]Cause{
			{"still_writing", Msg{"对方还在写文件时就被取走", "fetched while it was still being written"}, Msg{"没有结尾标记", "no trailer"}},
			{"transfer_broken", Msg{"传输中断", "the transfer broke off"}, Msg{"最后一行不完整", "last line is incomplete"}},
		}},
	{reconcile.F04, Msg{"重复文件", "Same file again"},
		Msg{"同样的内容以另一个名字又来了一次，没有重复入账。", "The same bytes came again under another name and were not counted twice."},
		Msg{"无需处理；已记为别名。", "Nothing to do; recorded as an alias."},
		[]Cause{{"resent", Msg{"对方重发或人工复制", "sent again or copied by hand"}, Msg{"内容摘要完全相同", "digests are equal"}}}},
	{reconcile.F05, Msg{"更正文件", "Corrected file"},
		Msg{"同一份文件又来了一版，内容不同。以新版为准，旧版保留备查。", "The same file came again with other content. The newer one counts, the former is kept."},
		Msg{"到「本次变更」看增、删、改了哪些行，请对方说明更正原因。", "See on sheet Changes which rows were added, removed or changed, and have the other side say why."},
		[]Cause{
			{"vendor_restated", Msg{"对方更正了账单", "the other side restated its file"}, Msg{"位置相同，内容摘要不同", "same slot, other digest"}},
			{"final_version", Msg{"先来的是临时版", "the former one was provisional"}, Msg{"新版覆盖的时间更完整", "the new one covers more of the day"}},
			{"wrong_file", Msg{"其中一份放错了", "one of the two was put there by mistake"}, Msg{"多数行不同", "most rows differ"}},
		}},
	{reconcile.F06, Msg{"空文件", "Empty file"},
		Msg{"文件没有一行明细，但当天终端有交易。", "The file has no rows though the terminals had sales that day."},
		Msg{"向收单方确认当天确无清算；否则要求重发。", "Have the acquirer confirm that nothing was cleared, or send the file again."},
		[]Cause{
			{"export_failed", Msg{"对方导出失败", "the export failed"}, Msg{"终端有交易而文件为空", "terminals had traffic, the file has none"}},
			{"by_design", Msg{"无交易日约定出空文件", "an empty file is agreed for quiet days"}, Msg{"以往无交易日也是空文件", "earlier quiet days look the same"}},
		}},
	{reconcile.F07, Msg{"控制总数不符", "Control total disagrees"},
		Msg{"文件自报的笔数或金额与明细合计不一致，整份文件暂不采用。", "The count or amount stated by the file is not the sum of its rows; the file is held."},
		Msg{"先核对解析规则，再把两个数字发给收单方要求更正。", "Check the parser first, then send both figures to the acquirer and ask for a correction."},
		[]Cause{
			{"vendor_total", Msg{"对方汇总有误或口径不同", "the vendor's total is wrong or counted otherwise"}, Msg{"没有被拒绝的行", "no row was rejected"}},
			{"rows_lost", Msg{"明细缺行", "rows are missing"}, Msg{"明细笔数少于自报笔数", "fewer rows than stated"}},
			{"sign_rule", Msg{"退款正负号口径不同", "refund signs are counted otherwise"}, Msg{"差额等于两倍退款合计", "the gap is twice the refunds"}},
		}},
	{reconcile.F08, Msg{"有行解析失败", "Rows rejected"},
		Msg{"有几行不符合格式，已逐行列出，没有猜测。", "Some rows break the layout; each is listed, none is guessed."},
		Msg{"修正格式定义后用原文件重新解析。", "Mend the profile and parse the stored original again."},
		[]Cause{
			{"bad_row", Msg{"个别行内容异常", "single rows are malformed"}, Msg{"被拒行很少，其余正常", "few rejects, the rest is sound"}},
			{"new_type", Msg{"对方新增了业务类型或取值", "the vendor added a type or value"}, Msg{"被拒行的同一列取值相同", "rejects share one field"}},
		}},
	{reconcile.F09, Msg{"格式变了", "Layout changed"},
		Msg{"表头、列或编码与格式定义不同，整份文件暂不采用。", "Header, columns or encoding differ from the profile; the file is held."},
		Msg{"停用该来源，按新版式更新格式定义后重新解析。", "Stop the source, write a new profile version, parse again."},
		[]Cause{
			{"vendor_change", Msg{"对方改版", "the vendor changed the layout"}, Msg{"表头与上次不同", "the header differs from last time"}},
			{"wrong_file", Msg{"放错了文件", "another file was delivered"}, Msg{"没有任何格式认领", "no format claims it"}},
		}},
	{reconcile.F10, Msg{"账期或主体不符", "Wrong date or merchant"},
		Msg{"文件里的日期或商户不属于这个来源，或两个文件无法区分，已隔离。", "The rows belong to another date or merchant, or two files cannot be told apart; quarantined."},
		Msg{"请收单方确认并重发正确的文件。", "Have the acquirer check and send the right file."},
		[]Cause{
			{"wrong_delivery", Msg{"发错文件", "the wrong file was delivered"}, Msg{"多数行不在账期内", "most rows lie outside the date"}},
			{"foreign_merchants", Msg{"别家商户的文件", "another merchant's file"}, Msg{"多数行的商户号未登记", "most rows name merchants that are not registered"}},
			{"slot_unclear", Msg{"文件名缺少区分段", "the file name lacks a part that tells files apart"}, Msg{"两个文件对应同一位置", "two files claim one place"}},
		}},
	{reconcile.F11, Msg{"银行余额断档", "Bank balances do not chain"},
		Msg{"期初余额接不上，或期初加发生额不等于期末；该账户当日的未到账判断暂停。", "The opening balance does not follow, or opening plus movements is not closing; overdue judgements of that account wait."},
		Msg{"向银行补取缺失的那一天或那一页对账单。", "Fetch the missing day or page of the statement from the bank."},
		[]Cause{
			{"missing_page", Msg{"缺一页或一天的流水", "a page or a day is missing"}, Msg{"余额跳变", "the balance jumps"}},
			{"intraday", Msg{"拿到的是日间流水", "an intraday copy was taken"}, Msg{"末行早于营业终了", "the last line is before close of business"}},
		}},
}

"""Chinese names of what audit rows tell: every action of the policy, and of the command line."""

from typing import Final

from market.accounts.policy import Role

ACTIONS: Final[dict[str, str]] = {
    "browse": "浏览",
    "sign_in": "登录、注册或用链接设密码",
    "account.use": "使用账号",
    "data.own": "取得或删除自己的数据",
    "organisation.found": "创建机构",
    "organisation.join": "申请加入机构",
    "organisation.leave": "退出机构",
    "organisation.manage": "管理机构和成员",
    "organisation.verify": "核验机构",
    "members.view": "查看成员",
    "audit.view": "查看操作记录",
    "operations.view": "查看运行状况",
    "operations.retry": "重新执行任务或投递",
    "period.view": "查看账期",
    "period.close": "关账",
    "plan.edit": "修改计划或节假日",
    "synonym.edit": "修改同义词或词典，重建索引",
    "rule.edit": "修改认定登记规则或放假安排",
    "listing.view_own": "查看本机构的成果与需求",
    "listing.edit": "编辑成果或需求",
    "listing.submit": "提交、发布或撤下成果或需求",
    "listing.review": "审核成果或需求",
    "import.use": "导入表格",
    "listing.import": "导入成果或需求",
    "match.view": "查看匹配",
    "match.decide": "评价匹配",
    "mandate.view": "查看委托",
    "mandate.grant": "发出委托",
    "mandate.accept": "答复委托",
    "mandate.end": "终止委托",
    "inquiry.send": "发出询问",
    "inquiry.view": "查看询问",
    "inquiry.answer": "答复询问",
    "inquiry.close": "结束询问",
    "introduction.view": "查看引荐",
    "introduction.propose": "提出引荐",
    "introduction.decide": "答复引荐",
    "deal.view": "查看洽谈",
    "deal.note": "记录洽谈",
    "deal.terms": "修改洽谈条件",
    "deal.confirm": "确认洽谈条件",
    "deal.lose": "结束洽谈",
    "deal.move": "移动洽谈",
    "deal.parties": "增减洽谈各方和内容",
    "deal.share": "确认份额",
    "pricing.set": "定价与公示",
    "objection.send": "对公示提出异议",
    "contract.draft": "起草合同",
    "contract.sign": "确认签约",
    "contract.disclose": "同意公开合同",
    "commission.view": "查看经理人报酬",
    "commission.settle": "分配或收讫经理人报酬",
    "bypass.view": "查看跳单记录",
    "bypass.contest": "对跳单提出异议",
    "bypass.decide": "处理跳单异议",
    "clause.write": "写或确认经理人条款",
    "reward.view": "查看给完成人的奖励",
    "reward.edit": "填写给完成人的奖励",
    "reward.confirm": "确认给完成人的奖励",
    "registration.view": "查看登记",
    "registration.submit": "填写、提交或撤回登记申请",
    "registration.decide": "受理、补正或决定登记",
    "registration.undo": "变更、注销、撤销或撤回登记",
    "registration.object": "对登记提出异议",
    "registration.file": "下载登记的合同文件和登记表",
    "contract.keep": "填写合同的专利、付款和备案",
    "comparable.view": "查看可比交易",
    "board.contracts": "查看计入的合同",
    "report.annual": "查看年度报告",
    "report.bureau": "查看科技局的报告",
    "user.create": "建立账号（命令行）",
    "user.reset": "重设密码（命令行）",
    "user.disable": "停用账号（命令行）",
    "user.enable": "恢复账号（命令行）",
    "reindex": "重建索引（命令行）",
    "rebuild": "另建索引换上（命令行）",
    "import": "导入（命令行）",
    "backup": "备份（命令行）",
    "restore": "从备份恢复（命令行）",
}
SUBJECTS: Final[dict[str, str]] = {
    "deal": "洽谈",
    "delivery": "变更投递",
    "dictionary": "词典词",
    "import": "导入",
    "index": "索引",
    "inquiry": "询问",
    "introduction": "引荐",
    "job": "后台任务",
    "listing": "成果或需求",
    "mandate": "委托",
    "commission": "经理人报酬",
    "bypass": "跳单记录",
    "reward": "给完成人的奖励",
    "transfer_rule": "转化规则",
    "match": "匹配",
    "membership": "成员",
    "organisation": "机构",
    "past_registration": "已登记的合同",
    "person": "账号",
    "plan": "计划",
    "registration": "登记",
    "rule_version": "认定登记规则",
    "calendar": "放假安排",
    "synonyms": "同义词",
    "token": "令牌",
}
OUTCOMES: Final[dict[str, str]] = {"done": "完成", "refused": "拒绝", "failed": "失败"}


def nobody(role: str, action: str) -> str:
    """Return who did what no account did: the command line acts as an operator without one."""
    by_command = role == Role.OPERATOR or ACTIONS.get(action, "").endswith("（命令行）")
    return "命令行" if by_command else "未登录"


def subject(text: str | None) -> str:
    """Return the object of a row in words: `listing:abc` or the address that was asked for."""
    if not text:
        return ""
    kind, colon, name = text.partition(":")
    if not colon or kind not in SUBJECTS:
        return text
    return f"{SUBJECTS[kind]} {'全部' if name == 'all' else name}"

"""The Rust segmenter and the Python one it stands in for must never disagree on ideographs."""

import random
import re

import pytest

from search.segment import DEFAULT, SEARCH, by_jieba, by_rjieba

SENTENCES = [
    "基于深度学习的钢板表面缺陷在线检测系统已经在两条产线上连续运行十八个月",
    "本项目研究高比能锂离子电池用陶瓷涂覆隔膜的制备工艺解决高温收缩和刺穿强度不足的问题",
    "针对城镇污水处理厂剩余污泥含水率高难以资源化利用提出低温带式干化与余热回收耦合方案",
    "质子交换膜燃料电池金属双极板的冲压成形精度和导电耐蚀涂层是降低电堆成本的关键",
    "企业希望找到可替代进口的大功率绝缘栅双极型晶体管模块封装材料要求导热系数高且热膨胀匹配",
    "利用无人机高光谱遥感影像对水稻氮素营养状况进行反演并生成变量施肥处方图",
    "研制面向手术机器人的六维力传感器实现微牛级分辨率和高过载保护能力",
    "开发基于石墨烯改性的水性防腐涂料耐盐雾时间超过两千小时适用于海上风电塔筒",
    "通过定向进化提高腈水合酶的热稳定性使丙烯酰胺的转化率达到工业化水平",
    "采用激光选区熔化技术一体成形航空发动机钛合金薄壁构件残余应力降低三成",
    "黄芪甲苷的绿色提取与纯化新方法避免使用有毒有机溶剂产品纯度满足药典要求",
    "构建面向中小制造企业的工业互联网平台提供设备故障预测与能耗优化服务",
    "寻求稀土永磁电机无重稀土化技术在矫顽力不降低的前提下减少镝和铽的用量",
    "大豆蛋白肽的酶解脱苦工艺及其在特殊医学用途配方食品中的应用",
    "深海采矿车履带与沉积物相互作用机理及其行走打滑的自适应控制策略",
]


@pytest.mark.parametrize("mode", [DEFAULT, SEARCH])
def test_both_segmenters_agree(mode: str) -> None:
    fast, slow = by_rjieba(), by_jieba()
    rng = random.Random(11)
    everything = "".join(SENTENCES)
    pieces = [
        everything[start : start + rng.randint(1, 60)]
        for start in (rng.randrange(len(everything)) for _ in range(1500))
    ]
    for text in [*SENTENCES, *pieces]:
        assert not re.search(r"[^\u4e00-\u9fd5]", text)
        assert [tuple(word) for word in fast.cut(text, mode)] == list(slow.cut(text, mode)), text
        words = fast.search_words(text)
        assert words == slow.search_words(text)
        assert words == [word for word, *_ in fast.cut(text, SEARCH)]

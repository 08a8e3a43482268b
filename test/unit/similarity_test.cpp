#include "core/text/similarity.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <string>

namespace pgchat {
namespace {

double alike(std::string_view a, std::string_view b) {
    return similarity(TermVector(a), TermVector(b));
}

double shared(std::string_view a, std::string_view b) {
    return overlap(TermVector(a), TermVector(b));
}

constexpr std::string_view for_trial =
    "Replace the free plan with a trial of fourteen days: half of our support serves free accounts";
constexpr std::string_view against_trial =
    "Keep the free plan, for a trial ends before a project does; limit the support of free accounts";

TEST(Similarity, TheSameTextIsOne) {
    for (const std::string_view text :
         {for_trial, against_trial, std::string_view("a"), std::string_view("我们应该提高价格吗"),
          std::string_view("価格を上げるべきか"), std::string_view("42")}) {
        EXPECT_EQ(alike(text, text), 1.0);
        EXPECT_EQ(shared(text, text), 1.0);
    }
    EXPECT_EQ(alike("Prices, HIGHER prices!", "higher\nprices; prices"), 1.0);
}

TEST(Similarity, NothingInCommonIsZero) {
    EXPECT_EQ(alike("raise prices now", "hire another developer"), 0.0);
    EXPECT_EQ(shared("raise prices now", "hire another developer"), 0.0);
    EXPECT_EQ(alike("提高价格", "雇用员工"), 0.0);
}

TEST(Similarity, ATextWithoutWordsIsLikeNone) {
    EXPECT_EQ(alike("", ""), 0.0);
    EXPECT_EQ(alike("", "prices"), 0.0);
    EXPECT_EQ(alike(" --- !", "---"), 0.0);
    EXPECT_EQ(shared("", "prices"), 0.0);
    EXPECT_EQ(shared("", ""), 0.0);
}

TEST(Similarity, IsTheSameBothWays) {
    const double value = alike(for_trial, against_trial);
    EXPECT_GT(value, 0.2);
    EXPECT_LT(value, 0.9);
    EXPECT_EQ(value, alike(against_trial, for_trial));
    EXPECT_EQ(shared(for_trial, against_trial), shared(against_trial, for_trial));
}

TEST(Similarity, IsTheCosineOfDampedCounts) {
    // alpha 3 times and bravo once, against both once.
    const double often = 1 + std::log(3.0);
    EXPECT_DOUBLE_EQ(alike("alpha alpha alpha bravo", "alpha bravo"), (often + 1) / std::sqrt((often * often + 1) * 2));
}

TEST(Similarity, InflectionsAreOneTerm) {
    EXPECT_EQ(alike("customer", "customers"), 1.0);
    EXPECT_EQ(alike("Übernahmen", "übernahme"), 1.0);
    EXPECT_EQ(alike("библиотека", "БИБЛИОТЕКИ"), 1.0);
    EXPECT_EQ(alike("price", "prize"), 0.0);
}

TEST(Similarity, ShortWordsCountLittleAndNumbersFully) {
    EXPECT_LT(alike("we are on it in a pricing debate", "we are on it in a hiring decision"), 0.1);
    EXPECT_GT(alike("pricing debate, so be it", "a pricing debate as we had"), 0.95);
    EXPECT_DOUBLE_EQ(alike("14 apples", "14 pears!"), 0.5);
}

TEST(Similarity, ScriptsWithoutSpacesAreComparedByPairs) {
    const double near = alike("我们应该提高专业版的价格", "提高专业版的价格是正确的");
    EXPECT_GT(near, 0.5);
    EXPECT_LT(near, 1.0);
    EXPECT_LT(alike("我们应该提高专业版的价格", "我们需要雇用更多的工程师"), 0.3);
    EXPECT_GT(alike("가격을 인상해야 합니다", "가격을 인상하면 됩니다"), 0.3);
    // Pairs do not reach over what stands between characters, so that these have none in common.
    EXPECT_EQ(alike("価格", "価。格"), 0.0);
    EXPECT_EQ(alike("数 x", "x 数"), 1.0);
    EXPECT_LT(alike("これについては価格です", "これについては採用です"), 0.6);
}

// Two opinions on a problem are closer to each other and to it than one on something else, by what the thresholds of
// chat.deliberation_rounds have in between, in languages with other words and scripts.
TEST(Similarity, ServesManyLanguages) {
    struct Debate {
        std::string_view problem, one, other, elsewhere;
    };
    const Debate debates[] = {
        {"我们应该在圣诞季之前把订单数据库从一台大型服务器迁移到托管云服务吗？",
         "托管云服务可以替我们处理备份、故障切换和补丁，而单台服务器是所有订单的单点故障。但是在圣诞季之前迁移时机不对"
         "。我建议现在就建立到云数据库的复制，在十月演练切换，只有演练成功才迁移，否则留在服务器上直到一月。",
         "去年圣诞节订单数据库连续九天处理器使用率达到百分之八十。服务器还可以再扩容一次，这是我们熟悉的风险。我的团队"
         "不了解云服务：监控不同，连接限制不同。我会推迟迁移到旺季之后，利用这段时间培训人员。",
         "图书馆应该在星期天开放，因为家庭只有周末才有空。孩子们在十岁之前养成阅读习惯，星期天是父母双方都能一起来的唯"
         "一一天。"},
        {"Sollen wir unsere Bestelldatenbank vor dem Weihnachtsgeschäft von einem großen Server in einen Clouddienst "
         "verlegen?",
         "Ein Clouddienst nimmt uns Sicherungen, Umschaltung und Aktualisierungen ab, und der eine große Server ist "
         "die einzige Schwachstelle für alle Bestellungen. Ein Umzug kurz vor dem Weihnachtsgeschäft kommt aber zur "
         "falschen Zeit. Ich würde jetzt die Replikation einrichten, im Oktober das Umschalten proben und nur "
         "verlegen, wenn die Probe gelingt.",
         "Vergangene Weihnachten lief die Bestelldatenbank neun Tage lang mit achtzig Prozent Auslastung. Der Server "
         "lässt sich noch einmal vergrößern, das ist ein Risiko, das wir kennen. Der Clouddienst ist meinen Leuten "
         "fremd: andere Überwachung, andere Grenzen für Verbindungen. Ich würde den Umzug auf die Zeit nach dem "
         "Weihnachtsgeschäft verschieben und die Leute schulen.",
         "Familien nutzen die Bücherei, wenn sie Zeit haben, und das ist am Wochenende. Der Sonntag ist der einzige "
         "Tag, an dem beide Eltern mitkommen können. Lesen lernt man vor dem zehnten Lebensjahr, also sollte "
         "wenigstens nachmittags geöffnet sein."},
        {"クリスマス商戦の前に、注文データベースを一台の大型サーバーからマネージドクラウドへ移行すべきでしょうか。",
         "マネージドクラウドはバックアップやフェイルオーバーを任せられますし、一台のサーバーはすべての注文の単一障害点"
         "です。しかしクリスマス商戦の直前の移行は時期が悪いです。今のうちに複製を設定し、十月に切り替えを練習し、成功"
         "した場合だけ移行すべきです。",
         "昨年のクリスマスには注文データベースのサーバーが九日間八十パーセントの負荷でした。サーバーはもう一度増強でき"
         "ます。クラウドは私のチームには未知で、監視も接続の制限も違います。移行は商戦の後に延期し、その間に人を訓練す"
         "べきです。",
         "図書館は日曜日に開けるべきです。家族が利用できるのは週末で、両親が一緒に来られるのは日曜日だけです。読書の習"
         "慣は十歳までに身に付くからです。"},
    };
    for (const auto& [problem, one, other, elsewhere] : debates) {
        EXPECT_GT(alike(one, other), 0.15) << problem;
        EXPECT_LT(alike(one, other), 0.4) << problem;
        EXPECT_LT(alike(one, elsewhere), 0.1) << problem;
        EXPECT_LT(alike(other, elsewhere), 0.1) << problem;
        EXPECT_GT(shared(problem, one), 0.3) << problem;
        EXPECT_GT(shared(problem, other), 0.3) << problem;
        EXPECT_LT(shared(problem, elsewhere), 0.15) << problem;
    }
}

TEST(Similarity, AnOverlapDoesNotSinkWithTheLengthOfOne) {
    std::string essay = "Prices should follow value.";
    for (int i = 0; i < 500; ++i)
        essay += " argument" + std::to_string(i) + "x" + std::to_string(i * 7919) + " filler" + std::to_string(i);
    EXPECT_EQ(shared("prices follow value", essay), 1.0);
    EXPECT_LT(alike("prices follow value", essay), 0.2);
}

TEST(Similarity, BytesThatAreNoTextHarmNobody) {
    const std::string broken("prices \xFF\xC3 \xE2\x82 \0 \xF0\x9F higher", 26);
    EXPECT_EQ(alike(broken, broken), 1.0);
    EXPECT_GT(alike(broken, "higher prices"), 0.5);
    std::string bytes;
    for (unsigned i = 0; i < 4096; ++i) bytes.push_back(static_cast<char>(i * 2654435761U >> 24));
    for (std::size_t at = 0; at < bytes.size(); at += 7) {
        const double value = alike(std::string_view(bytes).substr(at), bytes);
        EXPECT_GE(value, 0.0);
        EXPECT_LE(value, 1.0);
    }
}

TEST(Similarity, LargeTextsTakeTimeInProportion) {
    std::string words, one_word(32U << 20, 'x'), characters;
    for (std::uint32_t i = 0; words.size() < (32U << 20); ++i) words += std::to_string(i * 2654435761U) + ' ';
    while (characters.size() < (32U << 20)) characters += "价格";
    const auto start = std::chrono::steady_clock::now();
    EXPECT_GT(alike(words, "14332 8000"), 0.0);
    EXPECT_EQ(alike(one_word, "xxxxxxx"), 1.0);
    EXPECT_GT(alike(characters, "价格"), 0.5);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(120));
}

TEST(Similarity, AMatrixHasEachPair) {
    std::vector<TermVector> texts;
    for (const std::string_view text : {for_trial, std::string_view(), against_trial}) texts.emplace_back(text);
    const double value = alike(for_trial, against_trial);
    EXPECT_EQ(similarities(texts), (std::vector<double>{1, 0, value, 0, 0, 0, value, 0, 1}));
    EXPECT_TRUE(similarities({}).empty());
}

}  // namespace
}  // namespace pgchat

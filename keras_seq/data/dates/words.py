"""Words and names for texts that are not dates: a few hundred common ones, typed in for this project."""

WORDS = {
    "en": (
        "the a an and or but if then so because of to in on at by for with from about into over after before "
        "under between i you he she it we they me him her us them my your his our their this that these those who "
        "what when where why how which is are was were be been am do does did have has had will would can could "
        "may might must should shall not no yes please thank thanks hello hi good bad new old big small long "
        "short high low first last next second third same other many few more most much some any all every each "
        "one two three four five ten hundred thousand time day week month year morning evening night today "
        "tomorrow yesterday now later soon never always often sometimes again man woman child boy girl friend "
        "mother father brother sister family people person house home room door window table chair bed kitchen "
        "street road city town country world car bus train plane bike boat station airport school teacher student "
        "book page word letter paper pen picture phone computer screen email message call question answer problem "
        "idea story song music film game team player ball money bank price shop market food water bread milk "
        "coffee tea sugar apple banana rice meat fish egg cake dinner lunch breakfast dog cat bird horse cow tree "
        "flower grass river sea lake hill mountain sun moon star sky rain snow wind weather summer winter spring "
        "fall fire light dark color red blue green black white hand head eye ear nose mouth foot heart body "
        "doctor nurse hospital medicine health work job office boss meeting company business report plan go come "
        "get make take see know think want need like love hate feel look watch hear listen say tell ask talk "
        "speak read write learn teach play run walk sit stand sleep eat drink cook buy sell pay give send bring "
        "open close start stop begin end find lose win keep leave stay live die help try use turn move change "
        "remember forget understand believe hope wait meet happen really very too quite only just still already "
        "also maybe perhaps well there here up down out off away back left right flight hotel ticket book "
        "reservation restaurant alarm timer reminder account balance credit card password battery traffic recipe "
        "calories insurance passport visa luggage march august mark sun set date dates dating decide decent mars "
        "june april jan sunday monday friday novel octopus season century decade birthday party holiday calendar "
        "schedule deadline history future past war peace king queen"
    ),
    "fr": (
        "le la les un une des du de et ou mais donc si que qui quoi où quand comment pourquoi je tu il elle on "
        "nous vous ils elles me te se lui leur mon ton son notre votre ce cette ces est sont était être avoir ai "
        "as a avons avez ont fait faire va aller vais peux peut vouloir veux dois doit savoir sais voir vu "
        "prendre donner dire parler manger boire dormir lire écrire jouer acheter vendre payer ouvrir fermer "
        "chercher trouver attendre bon bonne mauvais grand petit nouveau vieux beau belle premier dernier second "
        "autre même plusieurs beaucoup peu très trop bien mal toujours jamais souvent encore déjà aujourd'hui "
        "demain hier maintenant tard tôt matin soir nuit jour semaine mois année an heure minute temps homme "
        "femme enfant garçon fille ami mère père frère sœur famille maison chambre porte fenêtre table rue ville "
        "pays monde voiture train avion gare école livre mot lettre papier photo téléphone ordinateur message "
        "question réponse problème idée histoire chanson musique film jeu argent banque prix magasin pain eau "
        "lait café thé sucre pomme viande poisson œuf gâteau dîner chien chat oiseau cheval arbre fleur mer "
        "montagne soleil lune étoile ciel pluie neige vent été hiver printemps automne rouge bleu vert noir blanc "
        "main tête œil cœur médecin hôpital travail bureau réunion merci bonjour bonsoir salut oui non s'il plaît "
        "avec sans pour par sur sous dans entre chez vers avant après pendant depuis mars mai août avril"
    ),
    "de": (
        "der die das ein eine und oder aber wenn dass weil wer was wo wann wie warum ich du er sie es wir ihr "
        "mich dich ihn uns euch mein dein sein unser dieser diese jener ist sind war waren sein haben hat hatte "
        "werden wird kann können muss müssen soll will wollen mag möchte darf nicht kein ja nein bitte danke "
        "hallo guten tag morgen abend nacht heute gestern jetzt später bald nie immer oft manchmal wieder schon "
        "noch nur auch sehr zu gut schlecht neu alt groß klein lang kurz hoch tief erste letzte nächste zweite "
        "andere viele wenige mehr alle jeder eins zwei drei hundert tausend zeit woche monat jahr stunde minute "
        "mann frau kind junge mädchen freund mutter vater bruder schwester familie haus wohnung zimmer tür "
        "fenster tisch stuhl bett küche straße stadt land welt auto bus zug flugzeug bahnhof schule lehrer buch "
        "wort brief papier bild telefon rechner nachricht frage antwort problem idee geschichte lied musik film "
        "spiel geld bank preis laden markt essen wasser brot milch kaffee tee zucker apfel fleisch fisch ei "
        "kuchen hund katze vogel pferd baum blume fluss meer see berg sonne mond stern himmel regen schnee wind "
        "wetter sommer winter frühling herbst rot blau grün schwarz weiß hand kopf auge herz arzt krankenhaus "
        "arbeit büro termin firma bericht plan gehen kommen machen nehmen sehen wissen denken brauchen lieben "
        "hören sagen fragen sprechen lesen schreiben lernen spielen laufen schlafen trinken kaufen bezahlen geben "
        "bringen öffnen mit ohne für von bei nach aus auf unter über vor zwischen um am im mai märz august april"
    ),
    "es": (
        "el la los las un una y o pero si que quien qué dónde cuándo cómo por qué yo tú él ella nosotros ustedes "
        "ellos me te se lo le mi tu su nuestro este esta estos ese esa es son era fue ser estar está están haber "
        "hay tener tengo tiene hacer hace ir voy va poder puedo puede querer quiero deber saber sé ver dar decir "
        "hablar comer beber dormir leer escribir jugar comprar vender pagar abrir cerrar buscar encontrar esperar "
        "llegar salir bueno malo grande pequeño nuevo viejo bonito primero último segundo otro mismo mucho poco "
        "más menos muy bien mal siempre nunca a menudo todavía ya hoy mañana ayer ahora tarde temprano noche día "
        "semana mes año hora minuto tiempo hombre mujer niño niña amigo madre padre hermano hermana familia casa "
        "cuarto puerta ventana mesa calle ciudad país mundo coche tren avión estación escuela libro palabra carta "
        "papel foto teléfono ordenador mensaje pregunta respuesta problema idea historia canción música película "
        "juego dinero banco precio tienda pan agua leche café té azúcar manzana carne pescado huevo pastel cena "
        "perro gato pájaro caballo árbol flor mar montaña sol luna estrella cielo lluvia nieve viento verano "
        "invierno primavera otoño rojo azul verde negro blanco mano cabeza ojo corazón médico hospital trabajo "
        "oficina reunión gracias hola adiós sí no por favor con sin para de del en sobre entre hasta desde mayo "
        "marzo"
    ),
    "zh": (
        "我 你 他 她 它 我们 你们 他们 这 那 这个 那个 哪里 什么 谁 怎么 为什么 多少 几 的 了 吗 呢 吧 是 不是 "
        "有 没有 在 去 来 到 从 和 或者 但是 因为 所以 如果 也 都 很 太 最 更 还 再 就 才 只 已经 正在 会 能 "
        "可以 应该 想 要 喜欢 爱 知道 觉得 认为 看 听 说 读 写 吃 喝 睡觉 买 卖 走 跑 坐 站 开 关 做 用 给 找 "
        "等 帮 问 回答 学习 工作 生活 今天 明天 昨天 现在 以后 以前 早上 中午 晚上 年 月 日 天 星期 小时 分钟 时间 "
        "时候 人 男人 女人 孩子 朋友 妈妈 爸爸 哥哥 姐姐 弟弟 妹妹 老师 学生 医生 家 房子 门 桌子 城市 国家 世界 车 "
        "火车 飞机 车站 机场 学校 医院 商店 银行 公司 电话 手机 电脑 电视 书 字 纸 笔 照片 消息 问题 办法 故事 歌 "
        "音乐 电影 游戏 钱 价格 饭 水 面包 牛奶 咖啡 茶 苹果 米饭 肉 鱼 鸡蛋 狗 猫 鸟 马 树 花 河 海 山 太阳 "
        "月亮 星星 天空 雨 雪 风 天气 春天 夏天 秋天 冬天 红 蓝 绿 黑 白 手 头 眼睛 心 大 小 高 低 长 短 新 旧 "
        "好 坏 快 慢 热 冷 谢谢 你好 再见 请 对不起 没关系 一 二 三 四 五 六 七 八 九 十 百 千 万 第一 第二 "
        "一个 两个 三次 十分 日本 中国 北京 上海 生日 日期 日子 年轻 去年 月饼 一月 五月"
    ),
    "it": (
        "il lo la un una e o ma se che non è sono ho hai ha vado casa città tempo giorno anno oggi domani ieri "
        "grazie ciao buono grande acqua pane amico strada libro mare sole perché come dove quando molto sempre "
        "anche con per di da in su"
    ),
    "pt": (
        "o a os as um uma e ou mas se que não é são tenho tem vou casa cidade tempo dia ano hoje amanhã ontem "
        "obrigado olá bom grande água pão amigo rua livro mar sol porque como onde quando muito sempre também com "
        "para de em por"
    ),
    "nl": (
        "de het een en of maar als dat niet is zijn heb hebt gaat huis stad tijd dag jaar vandaag morgen gisteren "
        "dank hallo goed groot water brood vriend straat boek zee zon waarom hoe waar wanneer veel altijd ook met "
        "voor van in op"
    ),
    "ru": (
        "я ты он она мы вы они и или но если что не это был есть дом город время день год сегодня завтра вчера "
        "спасибо привет хороший большой вода хлеб друг улица книга море солнце почему как где когда очень всегда "
        "тоже с для из в на"
    ),
    "pl": (
        "ja ty on ona my wy i lub ale jeśli że nie jest są mam dom miasto czas dzień rok dziś jutro wczoraj "
        "dziękuję cześć dobry duży woda chleb przyjaciel ulica książka morze słońce dlaczego jak gdzie kiedy "
        "bardzo zawsze też z dla do w na"
    ),
    "sv": (
        "jag du han hon vi ni de och eller men om att inte är har går hus stad tid dag år idag imorgon igår tack "
        "hej bra stor vatten bröd vän gata bok hav sol varför hur var när mycket alltid också med för från i på"
    ),
    "ja": (
        "私 あなた これ それ は が を に で と の です ます した ない 今日 明日 昨日 時間 家 駅 "
        "学校 会社 友達 電話 本 水 お茶 ご飯 好き 行く 来る 見る 食べる 何 どこ いつ なぜ "
        "ありがとう こんにちは 東京 大阪 天気 音楽 映画 日 月 年"
    ),
    "ko": (
        "나 너 우리 이 그 저 은 는 이 가 을 를 에 에서 오늘 내일 어제 시간 집 역 학교 회사 친구 "
        "전화 책 물 밥 좋아요 가요 와요 봐요 먹어요 무엇 어디 언제 왜 감사합니다 안녕하세요 "
        "서울 날씨 음악 영화 일 월 년"
    ),
    "tr": (
        "ben sen o biz siz ve veya ama eğer değil var yok ev şehir zaman gün yıl bugün yarın dün teşekkürler "
        "merhaba iyi büyük su ekmek arkadaş sokak kitap deniz güneş neden nasıl nerede ne çok her da ile için"
    ),
    "cs": (
        "já ty on ona my vy a nebo ale jestli že není je jsem mám dům město čas den rok dnes zítra včera děkuji "
        "ahoj dobrý velký voda chléb přítel ulice kniha moře slunce proč jak kde kdy velmi vždy také s pro z v na"
    ),
}  # fmt: skip

FIRST_NAMES = (
    "Anna Maria John James Robert Michael William David Mary Linda Susan Karen Nancy Lisa Sarah Emma Olivia "
    "Sophia Mia Liam Noah Oliver Lucas Henry Jack Daniel Matthew Anthony Mark Paul Steven Kevin Brian George "
    "Edward Peter Thomas Jean Pierre Marie Claire Sophie Camille Louis Jules Hugo Léa Chloé Manon Antoine "
    "François Hélène Élise Hans Peter Klaus Jürgen Ursula Heike Katrin Lukas Jonas Leon Felix Björn Günther José "
    "Juan Carlos Luis Miguel Jesús Sofía Lucía Carmen Pilar Ángel Andrés María Giulia Marco Luca Paolo Chiara "
    "João Pedro Ana Beatriz Ivan Olga Dmitri Natasha Piotr Agnieszka Łukasz Erik Lars Ingrid Astrid Mehmet Ayşe "
    "Fatma Emre Jan Petr Jana Eva April June May August Mai Augusta Julia Julius Julian Octavia Marcia Marzia "
    "Domenica Dominik Sunday Wednesday Mohammed Fatima Ali Omar Yuki Haruto Sakura Min-jun Seo-yeon Wei Li Ming "
    "Xiaoming Hong Priya Rahul Amit Sanjay Chinedu Amara Kofi Zoe Max Tom Sam Kim Alex Ben Amy"
).split()
LAST_NAMES = (
    "Smith Johnson Williams Brown Jones Garcia Miller Davis Wilson Anderson Taylor Moore Jackson Martin Lee "
    "Thompson White Harris Clark Lewis Walker Hall Young King Wright Hill Green Adams Baker Nelson Carter "
    "Mitchell Campbell Roberts Turner Dupont Durand Dubois Moreau Laurent Lefèvre Girard Bonnet Rousseau Müller "
    "Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Rodríguez Martínez "
    "Hernández López González Pérez Sánchez Ramírez Torres Flores Rivera Gómez Díaz Cruz Reyes Rossi Russo "
    "Ferrari Esposito Bianchi Silva Santos Oliveira Souza Ivanov Petrov Smirnov Kowalski Nowak Wiśniewski "
    "Andersson Johansson Karlsson Yılmaz Kaya Demir Novák Svoboda Dvořák de Vries Jansen van Dijk Tanaka Suzuki "
    "Sato Watanabe Kim Park Choi Wang Zhang Chen Liu Nguyen Tran Patel Singh Kumar Sharma Khan Ali O'Brien "
    "O'Neill MacDonald McCarthy Fitzgerald March May Marsh Friday Winter Sommer Day Weeks Mayer Marx Augustin "
    "Abril"
).split()
CHINESE_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶"
CHINESE_GIVEN = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂华建国文玉春梅子涵浩宇欣怡雨桐思远嘉一二三月日天"

COMMANDS = {
    "en": (
        "what time is it in {city}", "what is the weather in {city}", "set an alarm for {n} am", "call me at {n}",
        "remind me to {w} the {w}", "how far is {city} from {city}", "play some {w} music", "turn {w} the lights",
        "what is {n} times {n}", "convert {n} dollars to euros", "how do you say {w} in {lang}",
        "send {n} {w} to {name}",
        "my name is {name}", "i live in {city}", "i am {n} years old", "flight {n} to {city}", "room {n}, floor {n}",
        "who is {name}?", "{name} lives at {n} {w} street", "can you {w} my {w}?", "it costs {n} dollars",
        "wake me up at {n}:30", "the score was {n} to {n}", "chapter {n}, page {n}", "in {y} {name} moved to {city}",
        "see you on {wd}", "next {wd} at {n}", "every {wd} and {wd}", "the {mo} issue", "since {mo} {y}",
        "{mo} sales rose {n}%",
        "born in {y}", "{name} ({y}-{y})", "the {n}th of the month", "in the {n}th century", "the second of three",
        "i was born in {mo}",
        "in the summer of {y}", "a {w} {w} for {n} people", "how much is the {w} in {city}?", "day {n} of {n}",
        "{n} days ago",
    ),
    "fr": ("quelle heure est-il à {city}", "quel temps fait-il à {city}", "je m'appelle {name}", "j'ai {n} ans",
           "réveille-moi à {n}h",
           "appelle {name}", "il habite au {n} rue du {w}", "ça coûte {n} euros",
           "en {y}, {name} est parti à {city}", "à {wd} prochain",
           "tous les {wd}", "depuis {mo} {y}", "le {n}e siècle", "rendez-vous {wd} à {n}h", "il y a {n} jours",
           "né en {mo}"),
    "de": ("wie spät ist es in {city}", "wie ist das Wetter in {city}", "ich heiße {name}", "ich bin {n} Jahre alt",
           "weck mich um {n} Uhr",
           "ruf {name} an", "er wohnt in der {w}straße {n}", "das kostet {n} Euro", "{y} zog {name} nach {city}",
           "bis {wd}", "jeden {wd}",
           "seit {mo} {y}", "im {n}. Jahrhundert", "am {wd} um {n} Uhr", "vor {n} Tagen", "im {mo} geboren",
           "der {n}. Tag"),
    "es": ("qué hora es en {city}", "qué tiempo hace en {city}", "me llamo {name}", "tengo {n} años",
           "despiértame a las {n}", "llama a {name}",
           "vive en la calle {w} {n}", "cuesta {n} euros", "en {y} {name} fue a {city}", "hasta el {wd}",
           "todos los {wd}", "desde {mo} de {y}",
           "el siglo {n}", "el {wd} a las {n}", "hace {n} días", "nacido en {mo}", "el día {n}"),
    "zh": ("现在{city}几点", "{city}的天气怎么样", "我叫{name}", "我今年{n}岁", "{n}点叫我起床", "打电话给{name}",
           "多少钱？{n}块",
           "{y}年{name}去了{city}",
           "{wd}见", "每{wd}", "{y}年{mo}以来", "第{n}章", "{n}天以前", "{n}个{w}", "{mo}的{w}", "三月不知肉味",
           "一日三餐", "{n}月份的工资",
           "五一劳动节"),
}  # fmt: skip
"""Language -> short requests and facts; {n} a number, {y} a year, {mo} a month, {wd} a weekday, {w} a word."""

"""Names of the made-up people: from many cultures and scripts, as a real district's are."""

from __future__ import annotations

GIVEN: tuple[str, ...] = tuple(
    """
    Ana Maria José Luis Sofía Camila Mateo Santiago Valentina Lucía Zoë Chloë René Anaïs Léa Élodie François Noël
    Björn Åsa Søren Ingrid Þórr Sigríður Guðrún Kari Łukasz Agnieszka Małgorzata Zbigniew Jiří Tereza Šárka Željko
    Jovana Dragan Олена Тарас Дмитро Александр Νίκος Ελένη Mehmet Ayşe Gülşen Çağla Oğuz محمد فاطمة ليلى يوسف
    نور דוד שרה נועה יעל Rohan Priya Ananya Arjun Lakshmi Gurpreet Harjit Amina Fatuma Abdi Hodan Chukwuemeka
    Adébáyọ̀ Ngozi Olúwaseun Kwame Akosua Thandiwe Siphiwe Tsegaye Hiwot Nguyệt Thảo Minh Anh Đức Linh 伟 丽 明 芳
    さくら 健太 陽菜 지훈 서연 민준 Malia Keoni Leilani Sione Tevita Aiyana Dezba Nizhoni Hózhó Takoda Emma Liam
    Olivia Noah Ava James Isabella Benjamin Mia Lucas Charlotte Henry Amelia Alexander Harper Jack D'Andre LaToya
    Siobhán Pádraig Aoife Caoimhe Rhys Angharad Jean-Luc Marie-Claire Anne-Sophie Mary-Kate Xóchitl Itzel Nahuel
    """.split()
)

FAMILY: tuple[str, ...] = tuple(
    """
    García Rodríguez Martínez Hernández López González Pérez Sánchez Ramírez Núñez Muñoz Ibáñez Silva Santos Oliveira
    Souza Gonçalves Araújo O'Neil O'Brien O'Connor D'Angelo D'Souza MacLeod McCarthy Fitzgerald Müller Schäfer Groß
    Weiß Jørgensen Sørensen Håkansson Åkesson Lindström Jónsdóttir Björnsson Virtanen Mäkinen Łukasik Wójcik
    Kowalczyk Żukowski Dvořák Novák Černý Horvát Kovačević Đorđević Шевченко Коваленко Иванов Παπαδόπουλος Yılmaz
    Öztürk Şahin Çelik حداد خوري المصري منصور כהן לוי מזרחי Patel Sharma Singh Kaur Iyer Chatterjee Khan Rahman
    Hussain Hassan Warsame Abdullahi Okonkwo Adéyẹmí Ọlátúnjí Mensah Owusu Dlamini Nkosi Tesfaye Bekele Nguyễn Trần
    Lê Phạm Đặng 王 李 陈 张 田中 佐藤 鈴木 김 이 박 Kealoha Kahananui Tuiasosopo Fonua Begay Yazzie Tsosie Benally
    Smith Johnson Williams Brown Jones Miller Davis Wilson Anderson Taylor Moore Jackson Martin Lee Thompson White
    Washington Jefferson Freeman Lévesque Côté Bélanger Saint-Pierre Smith-Rowe Van-Dyke De-la-Cruz Nguyen-Roberts
    """.split()
)

STREETS: tuple[str, ...] = tuple(
    "Maple Oak Cedar Elm Juniper Mesa Pecan Willow Sage Canyon Prairie Mission Lincoln Chavez King Harvest".split()
)
TOWNS: tuple[tuple[str, str], ...] = (
    ("Albuquerque", "87101"),
    ("Santa Fe", "87501"),
    ("Las Cruces", "88001"),
    ("Gallup", "87301"),
    ("Taos", "87571"),
    ("Roswell", "88201"),
)
PLACES: tuple[str, ...] = tuple(
    """
    Juniper Mesa-Verde Riverside Sandia Coronado Piñon Chamisa Zuni Cottonwood Bosque Acoma Sunrise Lincoln
    Washington-Carver Chávez Sequoyah Kennedy Hopewell Valley Highland Eastside Westgate Northview Southwind
    """.split()
)

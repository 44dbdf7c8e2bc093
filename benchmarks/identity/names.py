"""Names by community, with frequencies that fall as they do in this country: some names are everywhere, most are rare.

The order of a list is its order of frequency, roughly; nothing here is anybody's. The tail of British family names is put
together of parts. Names in no list below come from the invented authority's own.
"""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from deploy.local.authority import names as authority_names


@dataclass(frozen=True)
class Drawn:
    """Names and their cumulated weights, to draw from."""

    names: tuple[str, ...]
    cumulated: tuple[float, ...]

    def draw(self, rng: random.Random) -> str:
        """One name, the frequent ones often."""
        return self.names[bisect(self.cumulated, rng.random() * self.cumulated[-1], 0, len(self.names) - 1)]


def falling(words: Sequence[str], *, steep: float, flat: float = 4.0) -> Drawn:
    """Weights by rank: 1 / (rank + flat) ** steep."""
    weights = accumulate(1 / (rank + flat) ** steep for rank in range(len(words)))
    return Drawn(tuple(words), tuple(weights))


def joined(*parts: tuple[float, Drawn]) -> Drawn:
    """One list of several, each with its share of the whole."""
    found: list[tuple[str, float]] = []
    for share, drawn in parts:
        before = 0.0
        for name, upto in zip(drawn.names, drawn.cumulated, strict=True):
            found.append((name, share * (upto - before) / drawn.cumulated[-1]))
            before = upto
    return Drawn(tuple(name for name, _ in found), tuple(accumulate(weight for _, weight in found)))


@dataclass(frozen=True)
class Community:
    """How one community names its children.

    prefix: share of boys whose given name stands before the name they are called by; second: share with a middle name;
    two_family: share with two family names; woman_of: a woman's form of a family name; by_sex: family names that only
    daughters, or only sons, carry, and the share of households that use them; father: the middle name is the father's.
    """

    name: str
    share: float
    common: bool
    family: Drawn
    given: dict[str, Drawn]
    prefix: float = 0.0
    second: float = 0.3
    two_family: float = 0.0
    joint: str = "-"
    woman_of: dict[str, str] = field(default_factory=dict)
    by_sex: dict[str, tuple[str, ...]] = field(default_factory=dict)
    by_sex_share: float = 0.0
    father: bool = False
    turned: float = 1.0
    """How many times more often than elsewhere given and family name change places."""
    first_january: float = 1.0
    """How many times more often the birth date is not known, and 1 January is written."""


PREFIXES = ("Mohammed", "Muhammad", "Mohammad", "Mohamed", "Muhammed")

_BRITISH_FAMILY = """Smith Jones Taylor Brown Williams Wilson Johnson Davies Robinson Wright Thompson Evans Walker White Roberts
Green Hall Wood Jackson Clarke Thomas Harris Edwards Turner Hughes Martin Lewis Hill Scott Cooper Ward Moore Clark Morris Harrison
Baker King Watson Young Morgan Allen Mitchell James Anderson Phillips Lee Bell Parker Davis Bennett Miller Cook Shaw Cox Richardson
Carter Collins Marshall Bailey Gray Simpson Richards Adams Wilkinson Foster Ellis Chapman Mason Webb Rogers Gibson Hunt Mills Palmer
Matthews Holmes Fisher Barnes Knight Lloyd Butler Russell Stevens Barker Jenkins Murray Dixon Fletcher Harvey Pearson Graham Howard
Andrews Elliott Ford Walsh Reynolds Fox Saunders Payne Day West Pearce Brooks Lawrence Atkinson Bradley Burton Dawson Spencer Armstrong
Robertson Stephenson Nicholson Watts Campbell Stewart Rose Gardner Wells Harper Hart Chambers Austin Lane Francis Perry Cole Sutton
Newton Hawkins Gregory Hudson Thomson Bird Grant Kennedy Wallace Berry Ryan Fuller Carr Lowe Barrett Arnold Hopkins Cunningham Byrne
Parsons Bishop Griffiths Owen Price Powell Rees Watkins Morley Booth Crawford Dean Dunn Elliot Field Franklin Freeman French George
Gilbert Gill Goodwin Gordon Greenwood Hammond Harding Hardy Henderson Higgins Hobbs Hodgson Holland Holt Hooper Hope Humphreys Hurst
Jordan Johnston Kay Kemp Kerr Kirk Leach Long Lynch Manning Marsh May McCarthy McDonald Miles Moss Nash Neal Newman Norman Norris Oliver
Osborne Page Parry Patterson Peters Poole Pope Porter Potter Pritchard Quinn Read Reed Reid Rhodes Riley Rowe Sanders Savage Sharp Short
Skinner Slater Stone Summers Swift Todd Townsend Tucker Vincent Warren Webster Wheeler Whittaker Williamson Willis Woods Yates""".split()
_STEMS = """Ash Ald Bar Beck Birk Black Blen Brad Bram Bran Brom Buck Burn Cald Carl Chad Clay Cole Cran Craw Crom Dal Dar Den Dun East
Eg El Fair Farn Fen Gar Gold Graf Gren Had Hal Ham Har Hart Has Hather Hay Haz Hep Hol Horn Hud Hun Kel Ken Kil Kings Lang Lin Lock Low
Lud Mar Mel Mid Mil Mor Nether New Nor Oak Old Ol Pad Pem Pen Pick Pres Rad Ram Raw Red Rock Ros Rush Sand Sed Shel Ship Sil Skel Stan
Stock Stain Sut Swin Thorn Thur Tot Tres Under Wad Wal War Wat Wen West Whit Wick Wil Win Wool Worth York""".split()
_ENDS = """bourne bridge brook bury by combe cliffe cote croft den don field ford gate grave ham hill holm house hurst ington land ley
lock low man mere mond more ridge sall shaw son stall stead ster stock ston thorpe ton ville wall ward way well wick wood worth""".split()


def _tail() -> Drawn:
    """Some thousand family names of parts, the same every time."""
    words = [stem + end for stem in _STEMS for end in _ENDS]
    random.Random("family names of parts").shuffle(words)
    return falling(words, steep=0.75, flat=30)


_BRITISH_F = """Olivia Amelia Isla Ava Lily Mia Freya Florence Ivy Willow Isabella Grace Evie Sophia Poppy Ella Rosie Emily Charlotte Elsie
Sophie Sienna Daisy Phoebe Alice Evelyn Harper Millie Matilda Ruby Emilia Maya Maisie Aria Luna Isabelle Chloe Erin Eva Penelope Arabella
Eliza Thea Lottie Ada Imogen Violet Zara Robyn Hallie Jessica Bonnie Harriet Esme Mila Orla Delilah Maeve Hannah Lucy Holly Molly Lola Amber
Scarlett Elizabeth Ellie Megan Eleanor Zoe Lexi Abigail Georgia Layla Darcie Summer Lyla Rose Nancy Martha Beatrice Anna Heidi Jasmine Sarah
Victoria Clara Edith Iris Aurora Mabel Margot Darcy Summer Annabelle Amy Lydia Skye Gracie Bella Katie Rebecca Niamh Francesca Lara Leah Maria
Tilly Faith Hollie Paige Lauren Caitlin Bethany Eden Autumn Connie Neve Pippa Quinn Rosa Tabitha Frankie Gabriella Felicity Julia Kate
Katherine Alexandra Rachel Naomi Miriam Esther Seren Carys Cerys Ffion Eilidh Skyla Emmeline Ottilie Primrose Winifred Sylvie Saffron Courtney
Demi Ellen Eve Gwen Helena Jodie Keira Libby Madison Natalie Nicole Shannon Tia Aimee Amelie Anya Hope Joanna Kayla Kiera Kyra Lacey Laila
Louisa Macie Mae Melissa Mollie Morgan Nell Olive Paisley Piper Polly Rhiannon River Sasha Savannah Stella Talia Teagan Tess""".split()
_BRITISH_M = """Oliver George Noah Arthur Harry Leo Jack Charlie Oscar Jacob Henry Thomas Freddie Alfie Theo William Theodore Archie Joshua
Alexander James Isaac Edward Lucas Tommy Finley Max Logan Ethan Mason Teddy Roman Joseph Sebastian Harrison Elijah Daniel Benjamin Samuel
Louie Reuben Hunter Rory Luca Jaxon Albert Zachary Hugo Adam Arlo Ezra Jude Toby Frederick Reggie Carter Frankie Gabriel Jenson Bobby Dylan
Ralph Riley Ronnie Rowan Michael Luke Nathan Matthew Ryan Callum Connor Jamie Liam Cameron Lewis Aaron Ben David Robert Ellis Stanley Louis
Caleb Elliot Sonny Otis Felix Blake Ollie Albie Tobias Austin Jayden Rhys Jesse Dexter Harvey Jackson Kai Finn Hudson Ivor Owen Evan Tyler
Bradley Kian Patrick Dominic Sean John Peter Christopher Nicholas Anthony Andrew Stephen Jonathan Joel Seth Eli Levi Nathaniel Miles Barnaby
Rupert Jasper Wilfred Ernest Percy Sidney Monty Rafe Ted Vinnie Zac Brody Brodie Cody Corey Curtis Declan Dylan Fraser Gethin Grayson Hamish
Jay Jake Joey Jordan Kieran Kyle Leon Mackenzie Macsen Marcus Marley Morgan Myles Oakley Parker Preston Robin Ross Scott Spencer Struan
Taylor Toby Tristan Xander Zane Aidan Aiden Aled Ashton Brandon Conor Dafydd Damian Darcey Euan Ewan Francis Fynn Greyson Guy Huw""".split()
_HYPHENED_F = [f"{one}-{two}" for one in "Lily Ella Gracie Amelia Ava Lacey Ellie Evie Isla Tilly Daisy Ruby Lexi Poppy Millie".split()
               for two in "Mae May Rose Grace Mai Jane Leigh Louise".split()]  # fmt: skip
_HYPHENED_M = [f"{one}-{two}" for one in "Alfie Tommy Riley Archie Jayden Tyler Harvey Teddy Bobby Charlie".split()
               for two in "James Lee Jay John George Joe".split()]  # fmt: skip

_PAKISTANI_FAMILY = """Khan Hussain Ahmed Ali Begum Akhtar Malik Iqbal Mahmood Shah Bibi Hassan Rahman Islam Miah Uddin Chowdhury Ahmad
Mirza Butt Raja Choudhury Aslam Afzal Sheikh Qureshi Akram Ashraf Arshad Bashir Hanif Rashid Khalid Javed Mehmood Saleem Shafiq Yousaf
Zaman Tahir Ullah Haque Karim Alam Hoque Khatun Siddique Ansari Baig Bhatti Chaudhry Dar Farooq Ghani Hamid Haider Hayat Imran Jamil Kausar
Latif Maqsood Mughal Nawaz Parveen Rafiq Rana Rehman Sadiq Sharif Sultan Tariq Waheed Yaqoob Yasin Zafar""".split()
_PAKISTANI_F = """Fatima Aisha Maryam Zainab Zara Amina Khadija Hafsa Safa Ayesha Inaya Aaliyah Hana Sara Noor Iqra Sana Zahra Anaya Eshal
Haniya Hiba Iman Laiba Maham Mahnoor Malaika Mehreen Minahil Nabila Nadia Noreen Rabia Rida Rukhsana Saira Samina Shazia Sidra Sofia Sumaiya
Tahira Tasnim Tayyaba Uzma Yasmin Zoya Alisha Aleena Amira Anam Areeba Asma Farah Farzana Halima Humaira Hira Jannat Kinza Maira Mariam
Nasreen Nimra Ruqayyah Sadia Safiya Salma Samia Shabana Sumayyah Tanzila Wajiha Zunaira""".split()
_PAKISTANI_M = """Ibrahim Yusuf Ali Hamza Ahmed Musa Adam Zain Hassan Bilal Umar Abdullah Mustafa Haris Ismail Ayaan Eesa Zakariya Dawud
Idris Rayyan Sulaiman Usman Abdul Ahmad Amir Arham Ayub Azaan Daniyal Ehsan Faisal Farhan Haroon Hashim Hussain Imran Isa Junaid Kabir Kashif
Khalid Mahir Mikaeel Nabeel Omar Qasim Rehan Rizwan Saad Salman Sameer Shahid Shayan Subhan Taha Talha Tariq Waleed Yahya Yaseen Zayd Zayn Zubair
Zeeshan Azlan Ihsan Raheem Rahim Tahmid Tanvir Nafis Mahdi Muaaz""".split()

_SIKH_FAMILY = """Singh Kaur Gill Dhillon Sandhu Sidhu Grewal Dhaliwal Bains Johal Sahota Mann Sangha Atwal Aujla Bhogal Chahal Cheema Deol
Dosanjh Hayer Hundal Kang Khangura Lally Mahal Nijjar Purewal Rai Randhawa Sekhon Toor Uppal Virdee Basra Bassi""".split()
_SIKH_F = """Simran Jasmine Harleen Jasleen Kiran Manpreet Gurleen Aneesa Avneet Amrit Anika Arjan Asha Avani Balraj Diya Gurpreet Harpreet
Ishpreet Jaspreet Jaya Jeevan Karina Kavita Kirandeep Maya Meera Navneet Nisha Priya Rajvir Ravneet Sandeep Serena Sharan Sukhdeep Tia Tanvi
Tarn Tejal""".split()
_SIKH_M = """Arjan Jasraj Gurdeep Harjit Arjun Jeevan Karan Manraj Harpreet Jaspreet Amrit Avi Balraj Dilraj Ekam Fateh Gurpreet Gurveer
Himmat Jagdeep Jaskaran Jovan Kabir Karam Kirpal Kuldeep Manveer Mandeep Navdeep Nihal Parm Rajan Rajvir Ranvir Rohan Sahib Sandeep Sukhraj
Taran Tej Veer Yuvraj Zorawar""".split()

_HINDU_FAMILY = """Patel Shah Sharma Kumar Mistry Gupta Joshi Desai Mehta Parmar Chauhan Solanki Reddy Nair Rao Iyer Das Verma Agarwal Jain
Kapoor Pandya Trivedi Bhatt Varsani Hirani Parekh Thakkar Amin Rathod Modi Naik Pillai Menon Krishnan Raman Srinivasan Chandra Banerjee Ghosh
Mukherjee Sen Dutta Gurung Rai Thapa Limbu Tamang Shrestha Kansara Lad Mehra Malhotra Khanna Viswanathan Sivakumar Rajan Perera""".split()
_HINDU_F = """Anaya Diya Saanvi Priya Aanya Isha Riya Asha Meera Anjali Kavya Nisha Pooja Ananya Aarna Aditi Avni Dhara Divya Hetal Ira
Jaya Jiya Khushi Kiara Krisha Lakshmi Mahi Myra Neha Nidhi Pari Radha Rania Sita Shreya Shruti Siya Sneha Tanvi Tara Trisha Urvi Vidya Zara""".split()
_HINDU_M = """Aarav Arjun Rohan Vihaan Krish Dev Aryan Advik Ishaan Reyansh Ayaan Dhruv Jay Kabir Kiaan Kunal Manav Neel Nikhil Om Pranav
Rahul Raj Rishi Rudra Sahil Samarth Shiv Shaan Veer Vivaan Yash Aadi Aditya Akshay Amar Anand Aniket Ansh Atharv Darsh Harsh Hari Jai Karan
Mihir Parth Rajan Ravi Sachin Tejas Varun Vikram""".split()

_POLISH_FAMILY = """Nowak Kowalski Wiśniewski Wójcik Kowalczyk Kamiński Lewandowski Zieliński Szymański Woźniak Dąbrowski Kozłowski
Jankowski Mazur Wojciechowski Kwiatkowski Krawczyk Kaczmarek Piotrowski Grabowski Zając Pawłowski Michalski Król Wieczorek Jabłoński Wróbel
Nowakowski Majewski Olszewski Stępień Malinowski Jaworski Adamczyk Dudek Nowicki Pawlak Górski Witkowski Walczak Sikora Baran Rutkowski
Michalak Szewczyk Ostrowski Tomaszewski Pietrzak Zalewski Wróblewski Marciniak Jasiński Sadowski Bąk Zawadzki Duda Jakubowski Wilk
Błaszczyk Czarnecki Lachowicz Marczak Dzierżak""".split()
_POLISH_F = """Zuzanna Julia Maja Zofia Hanna Lena Alicja Oliwia Maria Amelia Wiktoria Natalia Nadia Aleksandra Antonina Pola Laura Emilia
Gabriela Kornelia Milena Nikola Weronika Kaja Kinga Liliana Michalina Martyna Magdalena Karolina Agata Agnieszka Anna Barbara Dominika Ewa
Helena Iga Jagoda Joanna Kasia Katarzyna Klara Małgorzata Marcelina Nina Patrycja Paulina Róża Sara Sonia Urszula""".split()
_POLISH_M = """Antoni Jakub Jan Szymon Filip Aleksander Franciszek Mikołaj Wojciech Kacper Adam Michał Marcel Stanisław Wiktor Piotr Nikodem
Igor Leon Maksymilian Oskar Bartosz Dawid Kamil Krzysztof Łukasz Maciej Mateusz Oliwier Patryk Paweł Rafał Sebastian Tomasz Tymon Ignacy
Hubert Gabriel Daniel Dominik Damian Błażej Fabian Grzegorz Jacek Karol Konrad Marek Natan Olaf Przemysław Tymoteusz""".split()

_ROMANIAN_FAMILY = """Popa Popescu Ionescu Radu Dumitru Stan Stoica Gheorghe Rusu Munteanu Matei Marin Lazăr Ciobanu Dinu Constantin Florea
Nistor Tudor Moldovan Ungureanu Dragomir Marinescu Albescu Brânză Stanciu Sandu Barbu Enache Nicolae Ivan Ilie Petrescu Vasile Cristea Diaconu
Voicu Oprea Serban Toma Manole Pop Costea Mocanu Preda Balan Roman Dobre""".split()
_ROMANIAN_F = """Maria Sofia Ioana Elena Andreea Ana Alexandra Daria Eva Antonia Bianca Gabriela Ilinca Larisa Mihaela Natalia Patricia Raluca
Rebeca Sara Ștefania Teodora Alesia Amalia Anastasia Catalina Cristina Denisa Diana Ecaterina""".split()
_ROMANIAN_M = """Andrei David Matei Luca Ștefan Alexandru Gabriel Ionuț Mihai Darius Cristian Rareș Tudor Vlad Bogdan Victor Robert Eduard
Filip Nicolas Sebastian Răzvan Marian Florin Denis Daniel Adrian Alin Călin Ciprian Dragoș Emanuel George Horia""".split()

_SOMALI_NAMES = """Mohamed Ali Ahmed Abdi Hassan Yusuf Omar Ibrahim Abdullahi Hussein Osman Adan Ismail Farah Jama Warsame Abdirahman Nur Said
Mohamud Salad Isse Muse Aden Elmi Roble Guled Abshir Dahir Hersi Jimale Khalif Liban Mire Shire Sheikh Warfa Yasin Awil Bile Duale Egal
Gelle Haji Hirsi Idris Mahad""".split()
_SOMALI_F = """Fadumo Amina Khadija Hodan Asha Halima Maryan Sahra Ifrah Hibo Hamdi Ayaan Nasra Sumaya Zahra Fartun Hawa Ikran Muna Naima
Safia Samira Shukri Ubah Yasmin Zamzam Deqa Faiza Ilhan Idil Ladan Rahma Salma Sagal Saynab Aisha Bilan Filsan""".split()

_NIGERIAN_FAMILY = """Adeyemi Okafor Adebayo Mensah Owusu Obi Boateng Okeke Afolabi Balogun Eze Nwosu Ogunleye Asante Osei Appiah Adeleke
Ojo Okonkwo Amankwah Yeboah Abara Ibekwe Udoh Onyango Kamara Conteh Sesay Bangura Turay Diallo Moyo Ndlovu Tembo Mabaso Dlamini Chukwu Nwachukwu
Olawale Oladipo Oyelaran Akande Bello Ibrahim Musa Abdullahi Lawal Salami Agyeman Antwi Ansah Ofori Sarpong Addo Amoah Danso Frimpong Kargbo
Koroma Kiplagat Wanjiru Solomon Macauley Mutasa Chanda Phiri Banda""".split()
_NIGERIAN_F = """Grace Blessing Chiamaka Temitope Esther Deborah Ruth Favour Precious Joy Mercy Sarah Victoria Faith Hannah Adaeze Chioma Nkechi
Funmilayo Oluwaseun Abena Akua Ama Adwoa Efua Esi Naomi Rachel Rebecca Michelle Nicole Elizabeth Abigail Amara Ada Ebele Ifeoma Ngozi Folake
Omolara Titilayo Yewande Zainab Aisha Fatima Mariama Aminata Tendai Rudo Thandi Wanjiru Naledi Tiana Elsie Gifty""".split()
_NIGERIAN_M = """Daniel David Emmanuel Samuel Joshua Joseph Michael Chidi Tunde Adewale Elijah Caleb Gabriel Nathan Nathaniel Isaac Jeremiah
Solomon Victor Ifeanyi Emeka Chinedu Obinna Oluwaseun Femi Kunle Segun Babatunde Ayodele Kofi Kwame Kwaku Yaw Kojo Kwabena Ebenezer Prince
Godwin Peter Jason Jayden Ethan Ibrahim Abdul Musa Alpha Ousmane Tendai Farai Tinashe Sione Ezekiel Malachi Reuel""".split()

_IRISH_FAMILY = """Murphy Kelly O'Sullivan Walsh O'Brien Byrne Ryan O'Connor O'Neill O'Reilly Doyle McCarthy Gallagher Doherty Kennedy Lynch
Murray Quinn Moore McLoughlin O'Carroll Connolly Daly O'Connell Wilson Dunne Brennan Burke Collins Campbell Clarke Johnston Hughes O'Farrell
Fitzgerald Brown Martin Maguire Nolan Flynn Thompson O'Callaghan O'Donnell Duffy O'Mahony Boyle Healy O'Shea White Sweeney Hayes Kavanagh
Power McGrath Moran Brady Stewart Casey Foley Fitzpatrick O'Leary McDonnell McMahon Donnelly Regan Donovan Burns Flanagan Mullan Barry Kane
Ward McDonagh Maughan Connors Joyce Cash Prendergast Kinsella Kelleher Corrigan""".split()
_IRISH_F = """Aoife Niamh Saoirse Fiadh Caoimhe Ciara Róisín Sinéad Orla Clodagh Aisling Éabha Siobhán Sorcha Gráinne Maeve Bridget Mary Margaret
Kathleen Sarah Kate Grace Emily Ellie Molly Erin Cara Tara Bláthnaid Nora Shauna Shannon Eimear Deirdre Sadhbh Caragh""".split()
_IRISH_M = """Conor Seán Cian Oisín Patrick Michael Jack James Daniel Liam Fionn Rían Darragh Cillian Tadhg Eoin Pádraig Ronan Rory Declan Brendan
Kevin Aidan Ciarán Colm Cormac Dara Diarmuid Donal Eamon Finn Killian Lorcan Malachy Martin Miley Shane Senan Tom Jimmy John Johnny""".split()

_EASTERN_FAMILY = """Chen Li Wang Nguyen Zhang Liu Tran Wong Chan Lam Yang Le Pham Huang Lee Cheung Ho Leung Ng Wu Xu Zhou Lin Zhao Hoang Vu Vo Dang
Bui Duong Tang Lau Tsang Yeung Yip Kwok Fung Ma Zheng Guo Kim Park""".split()
_EASTERN_F = ["Jia Yi", "Mei Ling", "Hoi Yan", "Tsz Ching", "Xin Yi", "Yu Tong", "Wing Yan", "Linh", "Thảo", "Ngoc Anh", "Mei", "Hoi Ching",
              "Jia Xin", "Sze Wing", "Ka Yan", "Bao Ngoc", "Minh Anh", "Yi Lin", "Xiao Yu", "Jing Yi", "Chloe", "Emily", "Grace", "Sophie",
              "Hannah", "Jasmine", "Vivian", "Yan", "Lan Anh", "Thu Ha"]  # fmt: skip
_EASTERN_M = ["Jia Hao", "Tsz Hin", "Chun Hei", "Minh Quan", "Hao Yu", "Long Hin", "Wai Lok", "Quang", "Zi Xuan", "Yi Fan", "Ka Ho", "Chi Hang",
              "Gia Bao", "Tuan Anh", "Duc", "Ho Yin", "Jun Hao", "Hei Long", "Jun", "Ming", "Ethan", "Lucas", "Jayden", "Ryan", "Jason", "Kevin",
              "Anh Tuan", "Huy", "Khang", "Nam"]  # fmt: skip

_PORTUGUESE_FAMILY = """Silva Santos Ferreira Pereira Oliveira Costa Rodrigues Martins Sousa Fernandes Gonçalves Gomes Lopes Marques Alves
Almeida Ribeiro Pinto Carvalho Teixeira Moreira Correia Mendes Nunes Soares Vieira Monteiro Cardoso Rocha Coelho Cruz Cunha Pires Ramos
García González Fernández Rodríguez López Martínez Sánchez Pérez Gómez Jiménez Hernández Castellanos Reyes Salcedo""".split()
_PORTUGUESE_F = """Maria Matilde Leonor Beatriz Carolina Mariana Ana Sofia Francisca Inês Margarida Lara Alice Benedita Clara Lucía Valentina
Laura Júlia Eva Madalena Rita Joana Catarina Camila Isabela Gabriela Luana""".split()
_PORTUGUESE_M = """Francisco João Afonso Tomás Duarte Lourenço Santiago Martim Miguel Gabriel Rodrigo Pedro Rafael Diogo Gonçalo Tiago Lucas José Mateo
Hugo André Bruno Daniel Diego Enzo Guilherme Henrique Leonardo Luís Nuno Ricardo Salvador Vasco""".split()

_ARABIC_FAMILY = """Hassan Ahmed Ali Mohamed Ibrahim Mahmoud Saleh Abdullah Yilmaz Kaya Demir Al-Hassan Haddad Nasser Khalil Mansour Hamdan
Al-Najjar Karimi Ahmadi Rahimi Mohammadi Haidari Noori Rezaei Hosseini Sharifi Amiri Stanikzai Safi Osman Mustafa Tahir Aziz Rashid Karim
El-Sayed Abdelrahman Youssef Saad Şahin Çelik Öztürk Arslan Doğan Berisha Krasniqi Hoxha Shala Gashi Tesfaye Gebreyesus Haile Tekle Kidane""".split()
_ARABIC_F = """Mariam Fatima Sara Layla Noor Yasmin Zahra Aya Hala Leila Rania Lina Dana Amal Dunya Elif Zeynep Defne Azra Esra Leyla Hiba
Malak Nour Salma Shahd Sumaya Huda Jana Parisa Setayesh Nilufar Helen Selam Bethlehem Arta Elira""".split()
_ARABIC_M = """Mohammed Ahmed Omar Ali Yusuf Adam Ibrahim Hassan Mustafa Hussein Khalid Karim Amir Mahdi Reza Emre Emir Kerem Deniz Yusuf Rayan
Samir Tariq Zaid Abdulrahman Bilal Hamza Idris Anas Faris Jad Kian Daniyar Matin Yonas Samuel Dawit Leon Arian""".split()


def _community(
    name: str, share: float, common: bool, family: list[str], girls: list[str], boys: list[str], steep: float, **rest: object
) -> Community:
    given = {"F": falling(girls, steep=0.9), "M": falling(boys, steep=0.9)}
    return Community(name, share, common, falling(family, steep=steep, flat=1.5), given, **rest)  # type: ignore[arg-type]


def _british() -> Community:
    """Family names with a long tail, given names some of them with a hyphen."""
    rest = falling([*authority_names.FAMILY], steep=0.2)
    family = joined((0.42, falling(_BRITISH_FAMILY, steep=0.85, flat=6)), (0.55, _tail()), (0.03, rest))
    given = {
        "F": joined((0.9, falling(_BRITISH_F, steep=0.8, flat=12)), (0.07, falling(_HYPHENED_F, steep=0.5)), (0.03, falling(authority_names.GIVEN["F"], steep=0.1))),
        "M": joined((0.94, falling(_BRITISH_M, steep=0.8, flat=12)), (0.03, falling(_HYPHENED_M, steep=0.5)), (0.03, falling(authority_names.GIVEN["M"], steep=0.1))),
    }  # fmt: skip
    return Community("british", 0.64, False, family, given, second=0.72, two_family=0.06)


COMMUNITIES = (
    _british(),
    _community("pakistani and bangladeshi", 0.105, True, _PAKISTANI_FAMILY, _PAKISTANI_F, _PAKISTANI_M, 1.15, prefix=0.42, second=0.2, turned=2,
               by_sex={"F": ("Begum", "Bibi", "Akhtar", "Khatun", "Parveen", "Kausar"), "M": ("Miah", "Uddin", "Ali", "Rahman", "Hussain", "Ahmed")},
               by_sex_share=0.22, first_january=2),
    _community("sikh", 0.02, True, _SIKH_FAMILY, _SIKH_F, _SIKH_M, 1.2, second=0.6, by_sex={"F": ("Kaur",), "M": ("Singh",)}, by_sex_share=0.5),
    _community("hindu", 0.03, True, _HINDU_FAMILY, _HINDU_F, _HINDU_M, 1.1, second=0.3, turned=1.5),
    _community("polish", 0.045, False, _POLISH_FAMILY, _POLISH_F, _POLISH_M, 0.8, second=0.35,
               woman_of={"ski": "ska", "cki": "cka", "dzki": "dzka"}),
    _community("romanian", 0.025, False, _ROMANIAN_FAMILY, _ROMANIAN_F, _ROMANIAN_M, 0.8, second=0.6, turned=2),
    _community("somali", 0.025, True, _SOMALI_NAMES, _SOMALI_F, _SOMALI_NAMES[:30], 0.9, second=1.0, father=True, turned=4, first_january=12),
    _community("west and southern african", 0.04, False, _NIGERIAN_FAMILY, _NIGERIAN_F, _NIGERIAN_M, 0.7, second=0.85, turned=3),
    _community("irish", 0.025, False, _IRISH_FAMILY, _IRISH_F, _IRISH_M, 0.7, second=0.6),
    _community("chinese and vietnamese", 0.012, True, _EASTERN_FAMILY, _EASTERN_F, _EASTERN_M, 0.9, second=0.1, turned=8),
    _community("portuguese and spanish", 0.013, False, _PORTUGUESE_FAMILY, _PORTUGUESE_F, _PORTUGUESE_M, 0.8, second=0.3, two_family=0.6, joint=" "),
    _community("arabic, turkish, afghan and eritrean", 0.02, True, _ARABIC_FAMILY, _ARABIC_F, _ARABIC_M, 0.9, second=0.25, turned=3, prefix=0.12,
               first_january=10),
)  # fmt: skip

SPELLINGS = """Mohammed Muhammad Mohammad Mohamed Muhammed|Yusuf Yousuf Yousef Youssef Yusef|Ibrahim Ebrahim Ibraheem|Hussain Hussein Husain Hussien
Ahmed Ahmad Ahmet|Hassan Hasan|Omar Umar Omer|Usman Osman Uthman|Zara Zahra Zarah ~Sarah|Aisha Ayesha Aysha Aicha Aaisha|Fatima Fatimah Fatema Fathima
Mariam Maryam Maryan Mariyam ~Miriam|Khadija Khadijah Kadija|Zainab Zaynab Zeinab Saynab|Layla Leila Leyla Laila ~Lyla|Noor Nour Nur Noora
Sumaya Sumaiya Sumayyah Sumayah|Safia Safiya Safiyah|Yasmin Yasmeen Jasmin Yasmine|Aaliyah Aliyah Alia Aliya|Sofia Sophia Sofiya|Amelia Emelia ~Amalia ~Emilia
Amelie Emelie ~Emily|Isabella Izabella Isabela|Isabelle Isobel Isabel Isabell|Sara Sarah ~Sahra|Hannah Hanna ~Hana|Anna ~Ana ~Hanna|Chloe Chloë Khloe Cloe
Zoe Zoë Zoey|Katherine Catherine Kathryn Katharine|Caitlin Kaitlyn Katelyn Caitlyn|Niamh Neave ~Neve|~Aoife ~Eva ~Ava|Orla Orlagh|Maeve Mave Meabh
Rhiannon Rhianon|Megan Meghan Meagan|Keira Kiera ~Ciara ~Kira|Evie Evy Evi ~Eve|Ellie Elly Elli|Lily Lilly Lillie|Millie Milly Mille|Molly Mollie
Holly Hollie|Elsie Elsy|Rosie Rosy|Lottie Lotty|Maisie Maisy Macie|Darcie Darcy Darcey|Jasmine Jasmin Jazmine|Phoebe Pheobe Phebe|Eleanor Elinor Elena
Harriet Harriett|Mia Mya ~Maya|Maya Maia ~Mya|Aria Arya Ariah|Isla Isler ~Ayla|Lucas Lukas ~Luca|Luca Luka|Jacob Jakob ~Jakub|Zachary Zachery Zackary
Alexander Aleksander Alexandru Alexsander|Sebastian Sebastien Sebastyan|~Theo ~Teo ~Leo|Jayden Jaden Jaiden Jaydon ~Aiden|Aidan Aiden Ayden Aden
Jaxon Jackson Jaxson|Rhys Reece Rees|Rory Rori|Sean Shaun Shawn Seán|Conor Connor Konnor|Cian ~Kian ~Keane Kean|Callum Calum|Kai Kye Ky|Finley Finlay Finnley
Harrison Harison|Elliot Elliott Eliot|Louis Lewis ~Louie|Isaac Issac Izaac|Matthew Mathew ~Matteo|Stephen Steven ~Ștefan|Nathaniel Nathanial
Reuben Ruben Rueben|~Tobias ~Tobiasz|Michael Micheal ~Michał|Daniel Danial ~Daniyal|Gabriel Gabriyel|Joshua Joshuah|Joseph Josef ~Yusuf|Jonathan Johnathan
Zayn Zain ~Zane ~Zayd|Zayd Zaid|Hamza Hamzah|Bilal Belal Bilaal|Abdullah Abdulla Abdullahi|Abdul Abdool|Mustafa Mostafa Mustapha|Ismail Ismaeel Esmail
Musa Moosa Mousa|Idris Idrees|Suleiman Sulaiman Suleman|Haroon Harun|Zakariya Zakaria Zachariah|Dawud Daud Dawood|Eesa Isa Essa|Rayyan Rayan ~Ryan
Khalid Khaled|Tariq Tarik Tareq|Jamal Jamaal|Said Saeed Sayed|Abdirahman Abdulrahman Abdurrahman|Mohamud Mahmoud Mahmood Mehmood|Farah Farrah
Begum Begam Beghum|Rahman Rehman|Chowdhury Choudhury Choudhry Chaudhry|Miah Miya ~Mia|Akhtar Akther Aktar|Iqbal Eqbal|Qureshi Kureshi Quraishi
Siddique Siddiqui Sidiki|Sheikh Shaikh Sheik|Malik Mallick|Uddin Udin|Khatun Khatoon|Parveen Parvin|Hoque Haque Huq|Ullah Ulla|Latif Lateef|Hamid Hameed
Rashid Rasheed|Karim Kareem|Rahim Raheem|Jamil Jameel|Dhillon Dhillion|Dhaliwal Dhaliwall|Sandhu Sandu|Jaspreet Jaspret|Gurpreet Gurprit|Simran Simren
Saanvi Sanvi|Aarav Arav|Vihaan Vihan|Ishaan Ishan|Ayaan Ayan Ayaaan|Diya Dia|Riya Rhea Ria|Wójcik Wojcik|Katarzyna Katarzina ~Kasia|Oliwia Olivia
Zofia Sofia|Wiktoria Victoria|Wiktor Victor|Krzysztof Kristof ~Christopher|Mikołaj Mikolaj|Andrei Andrej ~Andrew|Mihai Mihail|Ioana ~Joanna
Chiamaka Chiamaca|Nguyen Nguyễn Ngyuen|Li Lee|Zhang Chang ~Cheung|Chen ~Chan|Wang ~Wong|Huang Hwang|Oluwaseun Seun|Owusu Owuso|Mensah Mensa|Fadumo Faduma
Abdi Abdy|Warsame Warsama|Hussein Xuseen|Jama Jamaa|Haji Hajji|Clarke Clark|Thompson Thomson Tompson|Davies Davis|Stevens Stephens|Reid Reed Read
Phillips Philips Phillip|Matthews Mathews|Johnston Johnstone ~Johnson|Nicholson Nicolson|Harris Harries|Allen Allan Alan|Elliott Elliot|Gray Grey
Shaw ~Shore|Lewis Louis|Griffiths Griffith|Pearce Pierce|Cooke Cook|Brown Browne|Moore More|Barrett Barret|McDonald MacDonald|McLoughlin McLaughlin
O'Reilly Reilly|Doherty Dougherty Docherty|Connors ~O'Connor|Kelleher Keleher|Byrne Burn ~Burns|García Garcia|Gonçalves Goncalves Gonzales""".replace(
    "\n", "|"
)
"""One name in its spellings, a group between bars; after ~ another name that looks like it."""

SHORT = """Alexander:Alex,Xander,Sandy Alexandra:Alex,Lexi,Sasha Abigail:Abi,Abbie Amelia:Millie,Mia Annabelle:Anna,Bella Andrew:Andy,Drew Anthony:Tony
Archie:Arch Arthur:Artie Beatrice:Bea Benjamin:Ben,Benji Bethany:Beth Cameron:Cam Charlotte:Lottie,Charlie Christopher:Chris,Kit Daniel:Dan,Danny
David:Dave,Davy Dominic:Dom Edward:Ed,Eddie,Ted,Teddy Eleanor:Ellie,Nell Elizabeth:Lizzie,Beth,Libby,Eliza Emily:Em,Emmy Felicity:Flick
Florence:Flo,Florrie Francesca:Fran,Frankie Francis:Frank Frederick:Freddie,Fred Gabriel:Gabe Gabriella:Gabby,Ella Georgia:Georgie George:Georgie
Gregory:Greg Hannah:Han Harriet:Hattie Harrison:Harry Harry:Haz Henry:Harry Imogen:Immy Isabella:Bella,Izzy Isabelle:Izzy,Belle Isaac:Zac
Jackson:Jack Jacob:Jake James:Jamie,Jim,Jimmy Jasmine:Jas,Jaz Jessica:Jess,Jessie Jonathan:Jon,Jonny Joseph:Joe,Joey Joshua:Josh Julia:Jules
Katherine:Kate,Katie,Kat Lauren:Laurie Leonardo:Leo Louisa:Lou Lucas:Luke Mackenzie:Mac Madison:Maddie Margaret:Maggie,Peggy Martha:Mattie
Matilda:Tilly,Mattie Matthew:Matt,Matty Maximilian:Max Megan:Meg Michael:Mike,Mikey,Mick Mohammed:Mo,Mohd Muhammad:Mo,Md Mohamed:Mo Mohammad:Mo,Mohd
Natalie:Nat Nathan:Nate,Nat Nathaniel:Nathan,Nate Nicholas:Nick,Nicky Nicole:Nicky Oliver:Ollie,Oli Olivia:Liv,Livvy Patrick:Paddy,Pat Penelope:Penny
Peter:Pete Phoebe:Fifi Rebecca:Becky,Becca Robert:Rob,Bobby,Robbie Rosie:Rose Samuel:Sam,Sammy Scarlett:Scar Sebastian:Seb Sophia:Sophie Stephen:Steve
Theodore:Theo,Teddy Thomas:Tom,Tommy Tobias:Toby Victoria:Vicky,Tori William:Will,Billy,Liam Wilfred:Wilf Zachary:Zac,Zach Abdullah:Abdul
Ibrahim:Ibby,Ib Yusuf:Yus Zainab:Zee Khadija:Khadi Jaspreet:Jas,Jass Harpreet:Harry Manpreet:Manny Gurpreet:Gurp Aleksandra:Ola,Ala Aleksander:Olek
Katarzyna:Kasia Małgorzata:Gosia Jakub:Kuba Tomasz:Tomek Bartosz:Bartek Zuzanna:Zuzia Agnieszka:Aga Stanisław:Staś Wojciech:Wojtek Oluwaseun:Seun
Temitope:Temi Chiamaka:Amaka Funmilayo:Funmi Emmanuel:Emma,Manny Deborah:Debbie Bridget:Bridie Kathleen:Kath Abdirahman:Abdi Maksymilian:Maks"""


def spellings() -> dict[str, tuple[str, ...]]:
    """Each name with the other spellings that people write for it."""
    return _others([word for word in group.split() if word[0] != "~"] for group in SPELLINGS.split("|"))


def lookalikes() -> dict[str, tuple[str, ...]]:
    """Each name with its spellings, and the other names that look like it: what parents of twins choose."""
    return _others(group.replace("~", "").split() for group in SPELLINGS.split("|"))


def _others(groups: Iterable[list[str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for words in groups:
        for word in words if len(words) > 1 else ():
            found.setdefault(word, []).extend(other for other in words if other != word)
    return {word: tuple(others) for word, others in found.items()}


def short_forms() -> dict[str, tuple[str, ...]]:
    """Each full name with what its bearers are called."""
    pairs = (entry.split(":") for entry in SHORT.split())
    return {full: tuple(short.split(",")) for full, short in pairs}

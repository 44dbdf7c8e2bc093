"""Names to draw from, of many languages. Put together at random, they name nobody."""

from __future__ import annotations

GIVEN = {
    "F": """Aaliyah Abena Ada Agnieszka Aisha Alba Amara Amelia Ana Anaïs Anjali Aoife Asha Ayesha Beatriz Bláthnaid Bronwen
    Carys Catalina Chiamaka Chloe Daisy Deniz Dhara Eilidh Elif Elodie Emily Esra Evie Fatima Fflur Florence Freya Funmilayo
    Grace Gwen Habiba Hana Hannah Haruka Ioana Isla Ivy Jasmine Jia Jun Kasia Khadija Lakshmi Layla Leyla Lily Linh Lucía
    Maja Mariam Mei Mia Mirela Naledi Nadia Ngoc Niamh Nkechi Olivia Olena Parisa Poppy Priya Rania Rosie Ruby Rukhsana
    Saanvi Samira Sara Seren Shanice Sienna Siân Simran Sofia Sophie Sumaya Tamsin Temitope Thảo Thea Uzma Valentina Wanjiru
    Willow Xin Yasmin Yusra Zainab Zofia Zoë""".split(),
    "M": """Aarav Abdi Adam Adewale Ahmed Aled Alfie Amir Andrei Antoni Archie Arjun Arthur Ayaan Bartosz Bilal Bogdan Caleb
    Callum Cheng Chidi Cian Dafydd Daniel Dashiell Dmytro Dylan Ebrahim Elijah Emre Ethan Farhan Felix Finlay Freddie George
    Gethin Hamza Harjit Harry Hassan Henry Ibrahim Idris Ifeanyi Iwan Jack Jakub Jayden João José Kacper Kai Karim Kofi Kwame
    Leo Liam Lorenzo Luca Lưu Macsen Marek Mateo Mihai Mohammed Muhammad Nathaniel Noah Oisín Oliver Omar Oscar Owen Pádraig
    Piotr Quang Rafał Rayan Reuben Rhys Ronan Rory Samuel Santiago Sergiu Sione Tariq Teddy Theo Thomas Tomasz Tunde Viktor
    Vihaan William Xavier Yaw Yusuf Zachary Zayn Zubair""".split(),
}
FAMILY = """Abara Abdullahi Achterberg Adeyemi Afolabi Ahmadi Akhtar Albescu Alderwick Ali Amankwah Andersen Apsley Aydın
Bakshi Balogun Barrowclough Bąk Begum Bellweather Berisha Bhandari Błaszczyk Bolton Boateng Bowen Brânză Brightwell Bui
Calloway Carmichael Castellanos Chanda Chen Chowdhury Clutterbuck Coelho Cooper Corrigan Crabtree Crossley Czarnecki
Dang Davies Dearden Delacroix Demir Dhillon Diallo Dlamini Doherty Dragomir Duckworth Duong Dzierżak Eastham Edwards Eze
Fairweather Farah Fernandes Finch Fitzpatrick Fothergill Galloway Garside Gebreyesus Georgiou Gomes Greenhalgh Griffiths
Gurung Haddad Hargreaves Hassan Haworth Hernández Hindmarsh Hoang Holroyd Hussain Ibekwe Iqbal Islam Ivanov Jackman
Jankowska Jarvis Jiménez Jones Kamara Kapoor Karimi Kaur Kaya Kelleher Khan Kinsella Kiplagat Kovalenko Kowalczyk Kumar
Lachowicz Lascelles Le Leatherbarrow Lindqvist Llewellyn Lopes Mabaso Macauley Mahmood Malik Maqsood Marczak Marinescu
Mazur McAllister Mehta Mensah Mistry Mohamud Morgan Moyo Murphy Nasser Ndlovu Nguyen Nicolaou Novák Nowak Nwosu O'Brien
O'Connor O'Sullivan Obi Ogunleye Okafor Olszewski Onyango Osman Öztürk Papadakis Parekh Patel Penhaligon Pereira Pham
Pickersgill Popa Prendergast Prosser Qureshi Rahman Rajput Ramsbottom Redfearn Reyes Ridgway Roberts Rodrigues Rowbotham
Sadiq Salcedo Saleh Sandhu Sato Schofield Shah Sharma Shevchenko Sikora Singh Sinclair Skelton Soares Solomon Stanhope
Suleiman Sutcliffe Szymańska Tahir Tanaka Tembo Thistlethwaite Thomas Threlfall Titterington Tran Turay Udoh Ullah
Underwood Vasiliev Vaughan Viswanathan Vu Wadsworth Wainwright Warsame Whitehead Whittaker Wieczorek Williams
Winterbottom Wójcik Wrigley Xu Yeboah Yildirim Yilmaz Zając Zanetti Zhang Zhou""".split()
STREETS = """Alder Bramble Chapel Dyehouse Elm Fuller Gannet Hawthorn Ivy Juniper Kiln Larch Mill Nettle Orchard Plover
Quarry Rowan Sorrel Tanner Underhill Vicarage Weaver Yarrow""".split()
SCHOOLS = """Ashbrook Beckfoot Calder Dunmere Eastgate Fenwick Gorsehill Highmoor Inkerfield Jubilee Kingsmead Larkrise
Moorside Northfield Oakapple Priory Quernmore Redbank Southlea Tarnside Uplands Valley Westholme Yarrowdale""".split()
PLACE = "Wexmoor"
"""The authority. No place has this name and the code 999."""

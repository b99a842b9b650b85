"""Words of closed classes, in languages of which no ready list is short enough.

They are articles, pronouns, prepositions, conjunctions, particles, auxiliary verbs, and what questions are asked with,
as grammars of each language list them. What a text could well be about is left out.
"""

from __future__ import annotations

CLOSED_CLASSES = {
    "en": """
        a an the this that these those here there some any no none each every either neither both all such own same
        other another much many more most few fewer less least several enough
        i me my mine myself we us our ours ourselves you your yours yourself yourselves he him his himself she her hers
        herself it its itself they them their theirs themselves one ones who whom whose which what whoever whichever
        whatever somebody someone something somewhere somehow anybody anyone anything anywhere anyhow everybody everyone
        everything everywhere nobody nothing nowhere
        when where why how whenever wherever however whether
        about above across after against along among amongst around as at before behind below beneath beside besides
        between beyond by despite down during except for from in inside into like near of off on onto out outside over
        per since than through throughout till to toward towards under until up upon via with within without
        and but or nor so yet if then else because although though unless while whereas
        be am is are was were been being have has had having do does did doing done can could may might must shall
        should will would ought get gets got getting let lets
        not only also too very just quite rather really even still already ever never always again once now ever
        don't didn't doesn't isn't aren't wasn't weren't haven't hasn't hadn't can't couldn't won't wouldn't shouldn't
        mustn't ain't i'm i've i'll i'd you're you've he's she's it's we're we've they're they've that's what's who's
        where's there's here's how's why's let's
    """,
    "fi": """
        minä sinä hän me te he se ne tämä tuo nämä nuo minun sinun hänen meidän teidän heidän sen niiden tämän tuon
        minua sinua häntä meitä teitä heitä sitä niitä tätä tuota minulla sinulla hänellä meillä teillä heillä minulle
        sinulle hänelle meille teille heille siinä siitä siihen sillä siltä sille niissä niistä niihin niillä niille
        tässä tästä tähän tällä tälle tuossa siellä sieltä sinne täällä täältä tänne tuolla joka jotka jonka joita jota
        jossa josta johon jolla jolle jotain jokin joku joskus kuka ketkä kenen ketä kenellä kenelle mikä mitkä minkä
        mitä missä mistä mihin minne milloin miksi miten millainen kuinka kumpi kukaan mikään mitään
        ja tai sekä eli vai mutta vaan että jotta jos kun koska vaikka kuin kunnes ennen jälkeen kanssa ilman varten
        mukaan kautta takia vuoksi yli ali alla päällä ympäri välillä sisällä ulkona
        ei en et emme ette eivät älä on olen olet olemme olette ovat oli olin olit olimme olitte olivat ole olla ollut
        olleet olisi olisin olisivat voi voin voit voimme voitte voivat saa pitää täytyy
        myös vain jo vielä nyt sitten niin näin aina hyvin ihan juuri noin itse kaikki moni muu toinen sama
    """,
    "et": """
        mina ma sina sa tema ta meie me teie te nemad nad minu mu sinu su nende mind sind teda meid teid neid mulle
        sulle talle meile teile neile mul sul tal meil teil neil see need selle seda sellest selles sellele nende too
        kes kelle keda kellele mis mille mida millest milles millele kus kust kuhu millal miks kuidas kas mitu milline
        keegi miski midagi kõik iga mõni muu teine sama ise oma
        ja ning või ega aga kuid vaid et kui sest kuna kuigi nagu enne pärast ilma koos kohta jaoks läbi vastu üle alla
        peal all juures vahel
        ei ära on olen oled oleme olete olin oli olid olla olnud oleks ole saab võib peab
        ka veel juba nüüd siis siin seal nii väga ainult just alati mitte
    """,
    "lt": """
        aš tu jis ji mes jūs jie jos mane tave jį ją mus jus juos jas man tau jam jai mums jums jiems joms mano tavo jo
        jos mūsų jūsų jų savo save sau šis ši šie šios tas ta tie tos tai šitas kas ko kam ką kuo kuris kuri kurie
        kurios kurį kurią kur kada kodėl kaip kiek koks kokia kokie ar kažkas niekas kiekvienas visi viskas kitas kita
        ir arba bei bet o kad jei jeigu nes nors negu nei kol
        į iš su be per prie po prieš ant už apie nuo iki dėl pagal tarp virš
        yra buvo bus būti esu esi esame esate buvau buvome nėra nebuvo būtų gali galima reikia
        ne taip dar jau dabar tada čia ten tik labai pat irgi taip
    """,
    "fa": """
        من تو او ما شما آنها آن‌ها ایشان این آن اینها همین همان خود خودم خودش کسی چیزی هر همه هیچ چند برخی بعضی دیگر
        چه چی کی که کجا چرا چگونه چطور کدام آیا وقتی
        و یا اما ولی اگر چون زیرا پس تا نه هم نیز فقط
        در به از با بر برای را بین روی زیر درباره بدون مانند مثل
        است هست نیست بود بودند باشد هستند هستم هستیم شد شده می نمی دارد دارند داشت باید خواهد کرد کرده کند
        های ها تر ترین یک خیلی حالا اینجا آنجا
    """,
    "vi": """
        tôi anh chị họ chúng nó ai gì nào đâu sao này kia đó đây ấy thế vậy mỗi mọi các những một vài
        và hoặc hay nhưng mà nếu thì vì nên do bởi để khi
        của ở trong trên dưới ngoài với cho từ đến tới về theo giữa bằng qua
        là có không được bị đã đang sẽ phải cần cũng chỉ rất lại còn vẫn đều rồi chưa chẳng như
    """,
    "gu": """
        હું તું તમે તે તેઓ અમે આપણે આ એ જે કોણ શું ક્યાં ક્યારે કેમ કેવી કેટલા મારા મારું તમારા તમારું તેના તેની તેનું
        અને કે પણ અથવા જો તો કારણ માટે થી માં પર સાથે વિશે છે છો છું હતો હતી હતું હતા નથી ન ના નહીં જ એક
    """,
    "ga": """
        mé tú sé sí muid sinn sibh siad é í iad mo do a ár bhur mise tusa seisean sise seo sin siúd
        an na agus ach nó má mura mar go gur nach cé cad céard cathain conas cén cár
        ag ar as chuig de den do don faoi i in ina le ó roimh thar trí um idir gan dom duit dó di dúinn daoibh dóibh
        agam agat aige aici againn agaibh acu leis léi liom leat orm ort air uirthi
        is ba tá níl bhí raibh bíonn beidh bhfuil ní níor níos sa san seo sin anseo ansin freisin
    """,
    "eu": """
        ni zu hi hura gu zuek haiek nik zuk guk haiek nire zure bere gure haien hau hori hauek horiek hau honek horrek
        hark nor nork noren zer zerk non nondik nora noiz zergatik nola zein zenbat norbait zerbait inor ezer
        eta edo baina ala bada baldin ere baino bezala arte gabe gainean azpian barruan buruz artean kontra ondoren
        da dira zen ziren naiz zara gara dago daude zegoen du dute zuen zuten dut dugu duzu izan ez bai
        oso orain gero hemen hor han bat batzuk guzti guztiak beste bakoitza
    """,
    "eo": """
        la mi vi li ŝi ĝi ni ili oni si mia via lia ŝia ĝia nia ilia sia min vin lin ŝin ĝin nin ilin sin
        tiu tiuj tiun tio tion tia tie tien tiam tial tiel ĉi kiu kiuj kiun kio kion kia kie kien kiam kial kiel kiom
        kies iu iuj io ia ie iam ial iel ĉiu ĉiuj ĉio ĉie ĉiam neniu nenio nenie neniam
        kaj aŭ nek sed ĉar se ke ol ĉu do tamen kvankam
        al de da en el sur sub super por per pri pro kun sen ĝis dum antaŭ post inter kontraŭ tra ĉe laŭ anstataŭ
        estas estis estos estus esti ne jes ankaŭ nur jam ankoraŭ tre pli plej nun ja ĵus
    """,
    "sr": """
        ja ti on ona ono mi vi oni one mene tebe njega nju nas vas njih meni tebi njemu njoj nama vama njima me te ga je
        ju ih mi ti mu joj im moj tvoj njegov njen naš vaš njihov svoj ovaj ova ovo ovi taj ta to te onaj ko šta čiji
        koji koja koje koga čega gde kada kad zašto kako koliko kakav neko nešto niko ništa svi sve svaki
        i a ali ili ni niti jer ako da dok iako kao nego već li
        u na o od do iz sa s k ka po za pred pod nad kroz oko bez protiv između preko pri posle pre zbog
        sam si smo ste su nisam nije nisu biti bio bila bilo bili bude će ću ćemo ćete bi bih može mogu treba
        ne da samo još već sada tada ovde tamo tako vrlo veoma
        ја ти он она оно ми ви они оне мене тебе њега њу нас вас њих мени теби њему њој нама вама њима ме те га је ју их
        му јој им мој твој његов њен наш ваш њихов свој овај ова ово ови тај та то онај ко шта чији који која које кога
        чега где када кад зашто како колико какав неко нешто нико ништа сви све сваки
        и а али или ни нити јер ако да док иако као него већ ли
        у на о од до из са с к ка по за пред под над кроз око без против између преко при после пре због
        сам си смо сте су нисам није нису бити био била било били буде ће ћу ћемо ћете би бих може могу треба
        не само још сада тада овде тамо тако врло веома
    """,
    "hy": """
        ես դու նա մենք դուք նրանք ինձ քեզ նրան մեզ ձեզ նրանց իմ քո նրա մեր ձեր իր սա դա այս այդ այն սրանք դրանք
        ով ո՞վ ինչ ի՞նչ որ որը որոնք որտեղ երբ ինչու ինչպես քանի ում որի
        և եւ ու կամ բայց եթե որովհետև քանի թե թեև մինչև համար մասին հետ մեջ վրա առանց դեպի ըստ
        է եմ ես ենք եք են էր էի էին չէ չի չեն եղել լինել պետք կարող մի շատ նաև միայն հիմա այստեղ այնտեղ ոչ այո
    """,
    "ta": """
        நான் நீ நீங்கள் அவன் அவள் அவர் அவர்கள் நாங்கள் நாம் இது அது இவை அவை என் உன் எங்கள் உங்கள் இந்த அந்த எந்த
        யார் என்ன எங்கே எப்போது ஏன் எப்படி எது ஒரு மற்றும் அல்லது ஆனால் என்று என இல்லை உள்ள உள்ளது இருந்து பற்றி
        மிகவும் மட்டும் கூட போன்ற வரை தான்
    """,
    "yi": """
        איך דו ער זי עס מיר איר זיי מיך דיך אים זיך מיין דיין זיין אונדזער אייער די דער דאס דאָס דעם א אַ אן אַן
        ווער וואס וואָס וואו וווּ ווען פארוואס פֿאַרוואָס ווי וועלכער און אדער אָדער אבער אָבער אז אַז אויב ווייל
        אין אויף פון פֿון מיט צו ביי בײַ פאר פֿאַר נאך נאָך פון איבער אונטער ביז אן
        איז ביסט בין זענען געווען האט האָט האבן האָבן וועט וועלן קען קענען ניט נישט אויך נאר נאָר דא דאָ דארט
    """,
    "st": """
        nna wena yena rona lona bona ke o re le ba ka ha ho hore haeba kapa empa le mme jwalo jwang kae neng mang eng
        hobaneng tsa ya wa la sa a e se di tse bo ena eo sena seo tsena tseo bana bao ne na tla tlo ntse feela haholo
        hape mona moo
    """,
}  # fmt: skip
"""Words, by primary subtag, as they are written."""

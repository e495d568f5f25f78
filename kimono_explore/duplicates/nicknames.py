"""Short forms of given names, folded as names are compared: each row is a name and what its bearers are called."""

from __future__ import annotations

from collections import defaultdict

_ROWS = """
abigail: abby abbie gail
abdirahman: abdi
alejandra: ale alex sandra
alejandro: ale alex jandro
alexander: alex al xander sasha zander
alexandra: alex lexi sandra sasha alexa
andrew: andy drew
anthony: tony
antonio: tony tono
barbara: barb babs
benjamin: ben benny benji
beatriz: bea betty
caleb: cal
cameron: cam
catherine: cathy kate katie cat
charles: charlie chuck chas
charlotte: charlie lottie char
christina: tina chris christy
christine: chris chrissy tina
christopher: chris topher kit
concepcion: concha conchita
conceicao: ceica
daniel: dan danny
david: dave davey
deborah: deb debbie
dorothy: dot dottie dolly
edward: ed eddie ted ned
eduardo: edu lalo
eleanor: ellie nell nora
elizabeth: liz lizzie beth betty eliza libby lisa betsy
emily: em emmy millie
enrique: kike quique
ethan: eth
fernando: nando fer
francisco: paco pancho cisco frank
francois: fran
frederick: fred freddie
gabriel: gabe
gabriela: gaby gabby
george: georgie
gerald: gerry jerry
gregory: greg
guadalupe: lupe lupita
guillermo: memo willy
gunther: gunny
gwendolyn: gwen
hannah: hanny
harper: harp
harold: harry hal
henry: hank harry hal
isabella: bella izzy isa
isabel: bella izzy isa
isaiah: ike zay
jacob: jake
james: jim jimmy jamie
javier: javi
jennifer: jen jenny
jessica: jess jessie
jesus: chuy
joaquin: quino
john: jack johnny jon
jonathan: jon jonny nathan
jose: pepe chepe
joseph: joe joey
joshua: josh
juan: juanito
katherine: kate katie kathy kat kit
kathleen: kathy katie
kenneth: ken kenny
lakshmi: laxmi
lawrence: larry
leonard: len leo lenny
liam: lee
louis: lou louie
lukas: luke
luis: lucho
madison: maddie maddy
malgorzata: gosia
manuel: manolo manny
marcus: marc mark
margaret: maggie meg peggy greta marge
maria: mari mia
martha: marty
mateo: teo
mathew: matt
matthew: matt matty
michael: mike mikey mick
mehmet: memo
muhammad: mo mohamed mohammed mohammad
mohamed: mo
nathaniel: nate nathan nat
nicholas: nick nicky nico
olivia: liv livvy
omar: omi
pamela: pam
patricia: pat patty tricia
patrick: pat paddy rick
peter: pete
philip: phil
priyanka: priya
rafael: rafa
rebecca: becky becca
richard: rick dick rich ricky
robert: bob rob bobby robbie bert
roberto: beto
rodrigo: rod
ronald: ron ronnie
rosario: charo
samantha: sam sammy
samuel: sam sammy
santiago: santi
sarah: sally sadie
sebastian: seb sebas bastian
sofia: sofi
stanislaw: stas
stephen: steve stevie
steven: steve
susan: sue susie
theodore: ted theo teddy
thomas: tom tommy
timothy: tim timmy
valentina: vale val
victoria: vicky tori vic
vikram: vik
vincent: vince vinny
virginia: ginny
walter: walt wally
william: bill will billy willie liam
wyatt: wy
ximena: mena
yolanda: yoli
youssef: joe
zachary: zach zack
"""


def nicknames() -> dict[str, list[str]]:
    """For each short form the names that it stands for, sorted.

    Examples
    --------
    >>> nicknames()["alex"]
    ['alejandra', 'alejandro', 'alexander', 'alexandra']
    """
    formal: dict[str, set[str]] = defaultdict(set)
    for row in _ROWS.split("\n"):
        name, _, short = row.partition(": ")
        for form in short.split():
            formal[form].add(name)
    return {form: sorted(names) for form, names in formal.items()}

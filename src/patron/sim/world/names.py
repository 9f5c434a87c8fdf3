"""Names as people in the three countries have them; enough that two strangers seldom share both."""

from patron.sim.luck import Dice

_GIVEN_IT = (
    "Giulia Marco Sofia Luca Francesca Matteo Chiara Alessandro Martina Davide Elena Simone Valentina "
    "Andrea Federica Stefano Silvia Paolo Alice Giovanni Sara Riccardo Beatrice Nicola Laura Filippo "
    "Ilaria Pietro Roberta Enrico Camilla Tommaso Serena Daniele Caterina Antonio Lucia Giorgio Irene "
    "Michele "
)
_GIVEN_ES = (
    "Lucía Hugo María Martín Paula Daniel Carmen Pablo Alba Álvaro Laura Adrián Marta Diego Cristina "
    "Javier Elena Sergio Nuria Carlos Raquel Jorge Irene Manuel Beatriz Rubén Silvia Iván Rocío Alberto "
    "Pilar Miguel Inés Rafael Teresa Óscar Lola Gonzalo Eva Joaquín "
)
_GIVEN_GB = (
    "Olivia Harry Emily Jack Charlotte Thomas Amelia George Sophie James Isla Oliver Grace William Freya "
    "Henry Hannah Samuel Lucy Daniel Eleanor Joseph Alice Edward Imogen Callum Zoe Rhys Priya Arjun Aisha "
    "Omar Megan Finlay Rosie Theo Martha Nathan Beth Dylan "
)
_FAMILY_IT = (
    "Rossi Russo Ferrari Esposito Romano Colombo Ricci Marino Greco Bruno Gallo Conti Costa Giordano "
    "Mancini Rizzo Lombardi Moretti Barbieri Fontana Santoro Mariani Rinaldi Caruso Ferrara Galli Martini "
    "Leone Longo Gentile Vitale Lombardo Serra Coppola Marchetti Parisi Villa Conte Ferri Bianco Fabbri "
    "Grassi Sala Testa Pellegrini Palmieri Negri Farina Rizzi Monti Cattaneo Morelli Amato Silvestri "
    "Mazza Testoni Benedetti Giuliani Orlando Damico "
)
_FAMILY_ES = (
    "García González Rodríguez Fernández López Martínez Sánchez Pérez Gómez Jiménez Ruiz Hernández Díaz "
    "Moreno Muñoz Álvarez Romero Alonso Gutiérrez Navarro Torres Domínguez Vázquez Ramos Gil Ramírez "
    "Serrano Blanco Molina Morales Suárez Ortega Delgado Castro Ortiz Rubio Marín Sanz Iglesias Núñez "
    "Medina Garrido Cortés Castillo Santos Lozano Guerrero Cano Prieto Méndez Cruz Calvo Gallego Vidal "
    "León Herrera Peña Flores Cabrera Campos "
)
_FAMILY_GB = (
    "Smith Jones Taylor Brown Williams Wilson Johnson Davies Robinson Wright Thompson Evans Walker White "
    "Roberts Green Hall Wood Jackson Clarke Patel Khan Lewis Harris Cooper King Baker Turner Morris Ward "
    "Hughes Edwards Hill Moore Clark Harrison Scott Young Morgan Allen Mitchell Ali Price Bennett Cook "
    "Shaw Griffiths Kelly Simpson Marshall Collins Murphy Gray Stevens Foster Begum Fox Webb Palmer "
    "Hussain "
)

GIVEN: tuple[tuple[str, ...], ...] = tuple(tuple(text.split()) for text in (_GIVEN_IT, _GIVEN_ES, _GIVEN_GB))
"""Given names by country."""

FAMILY: tuple[tuple[str, ...], ...] = tuple(
    tuple(text.split()) for text in (_FAMILY_IT, _FAMILY_ES, _FAMILY_GB)
)
"""Family names by country."""

_PLAIN = str.maketrans("áéíóúüñÁÉÍÓÚÜÑ", "aeiouunAEIOUUN")


def plain(name: str) -> str:
    """A name as it stands in an e-mail address.

    >>> plain("Núñez")
    'nunez'
    """
    return name.translate(_PLAIN).lower()


def given_name(dice: Dice, country: int) -> str:
    """A person's given name."""
    return dice.pick(GIVEN[country], "given name")


def family_name(dice: Dice, country: int) -> str:
    """A household's family name."""
    return dice.pick(FAMILY[country], "family name")

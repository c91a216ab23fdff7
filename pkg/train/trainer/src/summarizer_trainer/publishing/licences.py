"""What licences ask of whoever publishes: of the data, and of the base model."""

import pathlib
import re
from dataclasses import dataclass

from ..errors import RefusedError

_RESTRICTED = re.compile(r"(^|[-_ .])(nc|nd)([-_ .]|$)|non-?commercial|no-?deriv", re.IGNORECASE)
_LLAMA = re.compile(r"(^|/)(meta-)?llama[-_ ]?[0-9]", re.IGNORECASE)
_FILES = ("LICENSE*", "LICENCE*", "NOTICE*", "USE_POLICY*")


def restricted(data_license: str) -> bool:
    """Whether a data licence excludes commercial use or derivatives, as CC BY-NC-ND does both."""
    return _RESTRICTED.search(data_license) is not None


def check_data(data_license: str, public: bool, accepted: bool) -> None:
    """Refuses to make public what was trained on restricted data, unless somebody takes the responsibility."""
    if public and restricted(data_license) and not accepted:
        raise RefusedError(
            f"the adapter was trained on data under {data_license}, which restricts commercial use or derivatives: "
            "whether its weights may be given to everybody is for you to decide",
            next="publish it privately, or add acceptDataLicence: true when you have the right to",
        )


def is_llama(base_id: str, base_license: str) -> bool:
    """Whether Meta's Llama licence applies, by the licence of the base or else by its name."""
    return base_license.lower().startswith("llama") or (not base_license and _LLAMA.search(base_id) is not None)


def check_name(repo: str, base_id: str, base_license: str) -> None:
    """Refuses a name that the Llama licence does not allow a derived model to have."""
    namespace, _, name = repo.rpartition("/")
    if is_llama(base_id, base_license) and not name.startswith("Llama"):
        raise RefusedError(
            f"{repo} is tuned from {base_id}, and the Llama licence wants its name to begin with Llama",
            next=f"name it {namespace}/Llama-{name}",
        )


def files(model: pathlib.Path) -> list[pathlib.Path]:
    """Licence texts that lie beside the base and go along with what was made from it."""
    return sorted({path for pattern in _FILES for path in model.glob(pattern) if path.is_file()})


@dataclass(frozen=True)
class Licence:
    """A licence as a card's front matter names it: `license` is the Hub's id, or "other" with a name and a link."""

    license: str = ""
    license_name: str = ""
    license_link: str = ""

    @property
    def name(self) -> str:
        """What to call it; "" when it is not known."""
        return self.license_name or self.license


def of_directory(model: pathlib.Path) -> Licence:
    """The licence in the card that lies beside a model, if there is one."""
    from huggingface_hub import ModelCard

    try:
        card = ModelCard.load(model / "README.md").data.to_dict()
    except (OSError, ValueError):
        return Licence()
    fields = {name: card.get(name) for name in ("license", "license_name", "license_link")}
    return Licence(**{name: value for name, value in fields.items() if isinstance(value, str)})

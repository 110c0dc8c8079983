"""What the checks of a matrix can find, in words: one line per code, in Russian and English, each with the remedy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict


class Problem(BaseModel):
    """cell: `<table>/<cell>#<action>`, `selection#2`, `pipeline_rules#1`, `parameters#1`, `staff`. An error blocks publishing."""

    model_config = ConfigDict(frozen=True)

    severity: Literal["error", "warning"]
    code: str
    cell: str
    message: str
    remedy: str
    message_en: str
    remedy_en: str


class _Words(NamedTuple):
    severity: Literal["error", "warning"]
    ru: str
    en: str
    remedy_ru: str
    remedy_en: str


PROBLEMS: Mapping[str, _Words] = {
    "matrix-missing": _Words(
        "error",
        "матрицы «{name}» нет",
        "there is no matrix “{name}”",
        "укажите существующую матрицу или создайте эту",
        "name an existing matrix or create this one",
    ),
    "matrix-never-used": _Words(
        "warning",
        "матрица «{name}» не выбирается ни одним правилом",
        "no rule ever selects the matrix “{name}”",
        "добавьте правило выбора или удалите матрицу",
        "add a selection rule or delete the matrix",
    ),
    "cell-missing": _Words(
        "error",
        "ячейка «{words}» не заполнена: такие звонки не попадут никуда",
        "this cell is missing: such calls would meet no cell",
        "заполните ячейку; пустой список действий значит «ничего не делать»",
        "fill the cell; an empty list of actions means “do nothing”",
    ),
    "rule-never-applies": _Words(
        "error",
        "правило никогда не сработает: все его звонки забирает правило {earlier}",
        "the rule can never apply: rule {earlier} takes all its calls",
        "поставьте его выше правила {earlier} или удалите",
        "move it above rule {earlier} or delete it",
    ),
    "default-unreachable": _Words(
        "error",
        "до значения по умолчанию не доходит ни один звонок: правило {earlier} забирает все",
        "no call ever reaches the default: rule {earlier} takes them all",
        "добавьте правилу {earlier} условие или сделайте его значением по умолчанию",
        "give rule {earlier} a condition, or make it the default",
    ),
    "line-unknown": _Words(
        "warning",
        "линии «{name}» нет ни у одного подключения",
        "no connection has the line “{name}”",
        "исправьте номер линии или добавьте её подключению",
        "correct the line or add it to a connection",
    ),
    "connection-unknown": _Words(
        "warning",
        "подключения «{name}» нет",
        "there is no connection “{name}”",
        "исправьте имя подключения",
        "correct the connection's name",
    ),
    "catalogue-not-loaded": _Words(
        "warning",
        "справочники CRM ещё не прочитаны: воронки, этапы, поля и люди не проверены",
        "the CRM's catalogues are not read yet: pipelines, stages, fields and people were not checked",
        "дождитесь синхронизации и проверьте снова",
        "wait for the sync and check again",
    ),
    "pipeline-gone": _Words(
        "error",
        "воронки {id} нет в CRM",
        "the CRM has no pipeline {id}",
        "выберите другую воронку",
        "choose another pipeline",
    ),
    "pipeline-archived": _Words(
        "error",
        "воронка «{name}» в архиве",
        "the pipeline “{name}” is archived",
        "выберите действующую воронку или верните эту из архива",
        "choose a pipeline in use, or restore this one",
    ),
    "stage-gone": _Words(
        "error",
        "этапа {id} нет ни в одной воронке CRM: вероятно, он удалён",
        "no pipeline of the CRM has the stage {id}: it was probably deleted",
        "выберите другой этап",
        "choose another stage",
    ),
    "stage-elsewhere": _Words(
        "error",
        "этап «{name}» не из воронки «{pipeline}»",
        "the stage “{name}” is not of the pipeline “{pipeline}”",
        "выберите этап этой воронки",
        "choose a stage of this pipeline",
    ),
    "stage-closed": _Words(
        "warning",
        "сделка создаётся сразу закрытой: этап «{name}»",
        "the deal would be created closed: stage “{name}”",
        "выберите открытый этап",
        "choose an open stage",
    ),
    "separate-stage-missing": _Words(
        "error",
        "для второй сделки выбран отдельный этап, но этап не указан",
        "a second deal is to go to a separate stage, but no stage is named",
        "укажите этап для клиентов, у которых сделка уже есть",
        "name the stage for clients who have a deal already",
    ),
    "senior-missing": _Words(
        "error",
        "старший менеджер не назначен, а действие его требует",
        "no senior manager is set, but the action needs one",
        "назначьте старшего менеджера в списке сотрудников",
        "set the senior manager in the list of employees",
    ),
    "person-gone": _Words(
        "error",
        "сотрудника {id} нет",
        "there is no employee {id}",
        "выберите другого сотрудника",
        "choose another employee",
    ),
    "person-unmapped": _Words(
        "error",
        "сотрудник {name} не связан с пользователем CRM",
        "the employee {name} is not mapped to a CRM user",
        "свяжите его с пользователем CRM или выберите другого",
        "map him to a CRM user or choose another",
    ),
    "person-inactive": _Words(
        "error",
        "сотрудник {name} отключён в CRM",
        "the employee {name} is deactivated in the CRM",
        "выберите другого сотрудника или включите пользователя в CRM",
        "choose another employee or activate the user in the CRM",
    ),
    "employee-unmapped": _Words(
        "warning",
        "сотрудник {name} не связан с пользователем CRM: его звонки считаются принятыми неизвестным",
        "the employee {name} is not mapped to a CRM user: his calls count as answered by an unknown one",
        "свяжите его с пользователем CRM",
        "map him to a CRM user",
    ),
    "employee-inactive": _Words(
        "warning",
        "сотрудник {name} отключён в CRM: вместо него ответственным будет старший менеджер",
        "the employee {name} is deactivated in the CRM: the senior manager stands in for him",
        "включите пользователя в CRM или уберите у сотрудника номера",
        "activate the user in the CRM or take the employee's numbers away",
    ),
    "distribution-not-available": _Words(
        "error",
        "распределение по шаблону пока недоступно",
        "distribution by template is not available yet",
        "выберите другого ответственного",
        "choose another responsible",
    ),
    "field-unknown": _Words(
        "error",
        "поля «{name}» ({entity}) нет в CRM",
        "the CRM has no {entity} field “{name}”",
        "создайте поле в CRM или выберите другое",
        "create the field in the CRM or choose another",
    ),
    "field-mapped-twice": _Words(
        "warning",
        "поле «{name}» заполняют несколько параметров: останется последний",
        "several parameters fill the field “{name}”: the last one stays",
        "оставьте один",
        "keep one of them",
    ),
    "template-refused": _Words(
        "error",
        "шаблон «{setting}» не годится: {reason}",
        "the template “{setting}” is refused: {reason}",
        "исправьте шаблон в этом месте",
        "correct the template at this place",
    ),
    "unsorted-off": _Words(
        "warning",
        "раздел «Неразобранное» в CRM выключен{where}: заявки не создадутся",
        "Unsorted is switched off in the CRM{where}: leads will not be created",
        "включите «Неразобранное» в CRM или создавайте контакт и сделку",
        "switch Unsorted on in the CRM, or create contact and deal instead",
    ),
    "task-type-unknown": _Words(
        "error",
        "типа задачи «{name}» нет в CRM",
        "the CRM has no task type “{name}”",
        "выберите другой тип: call, meeting или свой",
        "choose another type: call, meeting or one of your own",
    ),
    "attached-too-early": _Words(
        "warning",
        "звонок прикрепляется в момент ответа: длительности и записи ещё нет, и позже они не добавятся",
        "the call is attached at answer: duration and recording are not known yet and are not added later",
        "перенесите действие в конец звонка",
        "move the action to the end of the call",
    ),
    "action-repeated": _Words(
        "warning",
        "действие «{what}» стоит в ячейке дважды: сработает только первое",
        "the action “{what}” stands twice in the cell: only the first has an effect",
        "удалите лишнее",
        "delete one of them",
    ),
    "deal-without-contact": _Words(
        "warning",
        "сделка нового клиента создаётся раньше контакта и останется без него",
        "a new client's deal is created before his contact and stays without one",
        "поставьте создание контакта перед сделкой",
        "put the contact before the deal",
    ),
}


def problem(code: str, cell: str, **facts: object) -> Problem:
    words = PROBLEMS[code]
    return Problem(
        severity=words.severity,
        code=code,
        cell=cell,
        message=words.ru.format(**facts),
        remedy=words.remedy_ru.format(**facts),
        message_en=words.en.format(**facts),
        remedy_en=words.remedy_en.format(**facts),
    )

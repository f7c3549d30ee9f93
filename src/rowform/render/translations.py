"""The Japanese of what rowform says to people who review settings; the English is what stands in the code."""

from __future__ import annotations

from collections.abc import Mapping

from rowform.guards import GuardName

#: Phrases of the page.
JAPANESE: Mapping[str, str] = {
    "Changes to settings": "設定の変更",
    "No changes. Settings match the configuration.": "変更はありません。設定は構成ファイルと一致しています。",
    "No differences.": "違いはありません。",
    "{create} to add, {update} to change, {delete} to delete": "追加{create}件、変更{update}件、削除{delete}件",
    "{create} added, {update} changed, {delete} deleted": "追加{create}件、変更{update}件、削除{delete}件",
    "{unchanged} stay as they are": "変更なし{unchanged}件",
    "Version {number} is active": "現在のバージョンは{number}",
    "locked": "ロック中",
    "No version yet": "バージョンはまだありません",
    "No version is active": "有効なバージョンはありません",
    "Compared with {rev}": "{rev}との比較",
    "version {number} {name}": "バージョン{number} {name}",
    "the configuration": "構成ファイル",
    "New restaurant, time zone {zone}": "新しい店舗、タイムゾーン {zone}",
    "Without changes: ": "変更のない店舗：",
    "Changed since {rev}": "{rev}以降の変更",
    "Pending already, and applied with it": "以前から保留中で、一緒に適用されるもの",
    "added": "追加",
    "changed": "変更",
    "deleted": "削除",
    "renamed": "名前の変更",
    "{title}, field by field: {changes}": "{title}の項目ごとの差分：{changes}",
    "{flag} overrules it": "{flag}で続行できます",
    "nothing overrules it": "続行する方法はありません",
    "consent by {who} in {commit}": "{who}が{commit}で許可",
    "Written directly into the database, and overwritten by this": "データベースに直接書き込まれ、上書きされるもの",
    "{noun} {key} was made there and would be deleted": "{noun} {key}：直接作成され、削除されます",
    "{noun} {key} was deleted there and would be made again": "{noun} {key}：直接削除され、再び作成されます",
    "{noun} {key}, {field}: {git} became {active}, and would be {desired}": "{noun} {key}の{field}：{git}から{active}に書き換えられ、{desired}になります",
    "overwrites a direct write": "直接の書き込みを上書きします",
    "not set": "未設定",
    "none": "なし",
    "empty": "空",
    "yes": "はい",
    "no": "いいえ",
    "no. {number}": "{number}番目",
    "{more} more": "ほか{more}件",
    "with {value}": "{value}を追加",
    "without {value}": "{value}を削除",
    "… and {more} more": "……ほか{more}件",
    "Not shown here, because a comment may not be longer: {what}.": "コメントの長さの上限を超えるため、省略したもの：{what}。",
    "{count} restaurant": "{count}店舗",
    "{count} restaurant without changes": "変更のない店舗{count}件",
    "{count} deletion": "削除{count}件",
    "{count} remark": "注意{count}件",
    "{count} change": "変更{count}件",
    "{count} detail": "詳細{count}件",
    "The whole plan: {where}": "計画の全体：{where}",
    "the log of the run": "実行ログ",
}

#: Sentences of which plans consist, by their template.
JAPANESE_SENTENCES: Mapping[str, str] = {
    "{noun} {key} names {name}, which is no {what}": "{noun} {key}が指す{name}は、{what}にありません",
    "{noun} {key} ended on {day}: it changes nothing today": "{noun} {key}は{day}に終了しています：今日は何も変わりません",
    "{noun} {key} applies today and will not any more: it ended on {day}": "{noun} {key}は今日まで有効でしたが、無効になります：終了日は{day}です",
    "{noun} {key} takes effect on {day}, tomorrow": "{noun} {key}は明日（{day}）から有効です",
    "{noun} {key} takes effect on {day}, in {days} days": "{noun} {key}は{days}日後の{day}から有効です",
    "{noun} {key} applies today and will not again before {day}, tomorrow": "{noun} {key}は現在有効ですが、明日（{day}）まで無効になります",
    "{noun} {key} applies today and will not again before {day}, in {days} days": "{noun} {key}は現在有効ですが、{days}日後の{day}まで無効になります",
    "{field} is {wanted} here and {there} in the database; rowform leaves an existing restaurant's row alone": "{field}はここでは{wanted}、データベースでは{there}です。既存の店舗の行は変更されません",
    "{noun} {gone} is deleted and {new} created with the same content; for a rename, add {line} to keep its history": "{noun} {gone}が削除され、同じ内容の{new}が作成されます。名前の変更なら、{line}を書けば履歴が残ります",
    "version {number} {name} is staged and has this content already: {command} makes it the active one": "バージョン{number} {name}は準備済みで、同じ内容です：{command}で有効になります",
    "version {number} {name} is staged, with other content, and not active: {command} shows it": "バージョン{number} {name}は準備済みですが、内容が異なり、有効ではありません：{command}で表示できます",
    "all {there} entries of {kind} would be deleted": "{kind}の{there}件すべてが削除されます",
    "{part} of {total} setting would be deleted ({percent} %)": "設定{total}件のうち{part}件が削除されます（{percent}％）",
    "{part} of {total} settings would be deleted ({percent} %)": "設定{total}件のうち{part}件が削除されます（{percent}％）",
    "{part} of {total} setting would be updated ({percent} %)": "設定{total}件のうち{part}件が変更されます（{percent}％）",
    "{part} of {total} settings would be updated ({percent} %)": "設定{total}件のうち{part}件が変更されます（{percent}％）",
    "the active version {number} is locked": "有効なバージョン{number}はロックされています",
    "the active version {number} is locked since {moment} UTC: {why}": "有効なバージョン{number}は{moment}（UTC）からロックされています：{why}",
    "{field} changes from {then} to {now}; rowform leaves an existing restaurant's row alone": "{field}が{then}から{now}に変わりますが、既存の店舗の行は変更されません",
    "{kind} is not managed any more: the database keeps what it has of it": "{kind}は管理の対象から外れます：データベースの内容はそのまま残ります",
    "{kind} was not managed before: what the database has of it is not known here": "{kind}はこれまで管理されていませんでした：データベースの内容はここでは分かりません",
    "{slug} has another id than at {rev}: it is a new restaurant, and the database keeps the old one as it is": "{slug}のIDが{rev}の時点と異なります：新しい店舗として扱われ、データベースの古い店舗はそのまま残ります",
    "{slug} is at {rev} and has no directory here: the database keeps it as it is": "{slug}は{rev}にありますが、ここにはディレクトリがありません：データベースの内容はそのまま残ります",
    "{kind} {key}: it was pending before this branch changed it": "{kind} {key}：このブランチで変更される前から保留中でした",
    "{kind} {key}: pending before this branch changed it: {fields}": "{kind} {key}：このブランチで変更される前から保留中の項目：{fields}",
    "its configuration at {rev} ({commit}) is not valid: all changes are counted as the branch's": "{rev}（{commit}）の構成ファイルは無効です：すべてこのブランチの変更とみなします",
    "its configuration at {rev} ({commit}) is not valid: all of it is shown as new": "{rev}（{commit}）の構成ファイルは無効です：すべて新しいものとして表示します",
    "no restaurant changed since {rev} ({commit})": "{rev}（{commit}）以降に変更された店舗はありません",
    "{rev} and this branch have no history in common: compared with {commit}": "{rev}とこのブランチには共通の履歴がありません：{commit}と比較しています",
    "{rev} has moved on since this branch left it: compared with {commit}": "このブランチが分かれた後、{rev}は先に進んでいます：{commit}と比較しています",
}

#: Words in those sentences.
JAPANESE_WORDS: Mapping[str, str] = {
    "staff group": "スタッフグループ",
    "staff group or member": "スタッフグループやメンバー",
    "member of a staff group": "スタッフグループのメンバー",
    "slug": "スラッグ",
    "name": "名前",
    "timezone": "タイムゾーン",
}

JAPANESE_GUARDS: Mapping[GuardName, str] = {
    GuardName.STALE: "計画の後に有効なバージョンが変わりました",
    GuardName.LOCKED: "有効なバージョンはロックされています",
    GuardName.THRESHOLD: "削除または変更が多く、事故のように見えます",
    GuardName.DRIFT: "最後にGitから適用した後の直接の書き込みが上書きされます",
    GuardName.ROLLED_BACK: "ロールバックで取り消した値が戻ります",
    GuardName.OLDER: "コミットが有効なバージョンのものより古いか、関係がありません",
}

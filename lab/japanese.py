"""What `lab watch` says, in Japanese. The English sentence is the key; a test compares both with the code."""

from collections.abc import Mapping

JAPANESE: Mapping[str, str] = {
    # Pods and containers
    "{who} is created.": "{who} が作られました。",
    "{who} is deleted.": "{who} が削除されました。",
    "{who} is gone.": "{who} はなくなりました。",
    "{who} is being deleted.": "{who} を削除しています。",
    "{who} is ready.": "{who} の準備ができました。",
    "{who} is no longer ready.": "{who} は準備ができていない状態になりました。",
    "{who} is scaled from {before} to {after}.": "{who} の数が {before} から {after} に変わりました。",
    "{who} has a new template, so its Pods are replaced.": "{who} のひな形が変わったので、Podが入れ替わります。",
    "{who} is gone{stays}.": "{who} はなくなりました{stays}。",
    "; the volume {volume} stays, still attached to {nodes}": (
        "。ボリューム {volume} は残り、{nodes} に接続されたままです"
    ),
    "; the volume {volume} stays, attached to no node": (
        "。ボリューム {volume} は残り、どのノードにも接続されていません"
    ),
    ", and so is its claim {name}": "。要求 {name} もありません",
    "{who} is created for Deployment {maker}.": "Deployment {maker} のために {who} が作られました。",
    "{who} is to run on {node}.": "{who} の行き先は {node} です。",
    "{who} is ready on {node}{volumes}.": "{who} が {node} で準備できました{volumes}。",
    ", with the volume {volumes}": "（ボリューム {volumes}）",
    "{volume} at {path}": "{volume} を {path} にマウント",
    "The container {name} of {pod}": "{pod} のコンテナ {name}",
    "{who} ended with exit code {code}; the Pod, its node and its volumes stay.": (
        "{who} が終了コード {code} で終わりました。Pod、ノード、ボリュームはそのままです。"
    ),
    "{who} is started again (restart {count}).": "{who} がもう一度起動されました（再起動 {count} 回目）。",
    "{who} waits: {reason}.": "{who} は待っています：{reason}。",
    # Claims, volumes, attachments
    "{who} is created: it asks for {size} of the class {class_}.": (
        "{who} が作られました。クラス {class_} の {size} を求めています。"
    ),
    "{who} is created: it asks for {size}, without a class.": (
        "{who} が作られました。クラスなしで {size} を求めています。"
    ),
    "{who} is created: it asks for {size} of the class {class_}, with the data of {source}.": (
        "{who} が作られました。クラス {class_} の {size} を、{source} のデータ入りで求めています。"
    ),
    "{who} is being deleted; it waits for {pods}, which uses it.": (
        "{who} を削除しています。使っている {pods} がなくなるのを待っています。"
    ),
    "{who} is bound to {pv}.": "{who} が {pv} に結び付きました（Bound）。",
    "{who} is Lost: its PersistentVolume is gone.": "{who} はLostになりました。PersistentVolumeがありません。",
    "{who} has grown from {before} to {after}.": "{who} が {before} から {after} に大きくなりました。",
    "{who} is gone, and the driver deletes {volume}.": "{who} はなくなりました。ドライバーが {volume} を削除します。",
    "{who} is created for the volume {volume}.": "ボリューム {volume} のために {who} が作られました。",
    "{who} is {phase}: its claim is gone, and its volume is deleted next.": (
        "{who} は {phase} です。要求がなくなったので、次にボリュームが削除されます。"
    ),
    "{who} is {phase}: its claim is gone, and its volume stays, because of the policy Retain.": (
        "{who} は {phase} です。要求はなくなりましたが、ポリシーがRetainなのでボリュームは残ります。"
    ),
    "{volume} is to be attached to {node}.": "{volume} を {node} に接続します。",
    "{volume} is attached to {node}.": "{volume} が {node} に接続されました。",
    "{volume} is to be detached from {node}.": "{volume} を {node} から切り離します。",
    "{volume} is detached from {node}.": "{volume} が {node} から切り離されました。",
    "{volume}: attaching it to {node} fails: {why}": "{volume} を {node} に接続できません：{why}",
    "{volume}: detaching it from {node} fails: {why}": "{volume} を {node} から切り離せません：{why}",
    # EC2
    "EC2: {volume} does not exist.": "EC2：{volume} は存在しません。",
    "EC2: {volume} is {state}, {size} GiB, {places}.": "EC2：{volume} は {state}、{size} GiB、{places}。",
    "EC2: {volume} is {state}, {size} GiB, attached to nothing.": (
        "EC2：{volume} は {state}、{size} GiB、どこにも接続されていません。"
    ),
    "{state} to {instance} ({node})": "{instance}（{node}）に {state}",
    "EC2: the instance {who} does not exist.": "EC2：インスタンス {who} は存在しません。",
    "EC2: the instance {who} is {state}.": "EC2：インスタンス {who} は {state} です。",
    # Snapshots
    "{who} is created: it asks for a copy of the claim {claim}.": (
        "{who} が作られました。要求 {claim} の写しを求めています。"
    ),
    "{who} is ready: {handle} in EC2 holds {size}.": (
        "{who} の準備ができました。EC2の {handle} に {size} 入っています。"
    ),
    "{who} fails: {why}": "{who} は失敗しました：{why}",
    "{who} is gone, and with it {handle} in EC2.": "{who} はなくなり、EC2の {handle} も一緒に消えます。",
    "{who} is gone; {handle} stays in EC2, because of the policy Retain.": (
        "{who} はなくなりましたが、ポリシーがRetainなので {handle} はEC2に残ります。"
    ),
    "EC2 takes the snapshot {handle} of {volume}.": "EC2が {volume} のスナップショット {handle} を取っています。",
    # The cluster
    "{who} leads to {pods}.": "{who} の行き先は {pods} です。",
    "{who} leads to no Pod.": "{who} の行き先となるPodがありません。",
    "Kubernetes warns about {who}: {reason}: {message}": "Kubernetesの警告（{who}）：{reason}：{message}",
    "{api} does not answer: {why}": "{api} が応答しません：{why}",
    "{api} does not answer: {why}. Asking again.": "{api} が応答しません：{why}。もう一度尋ねます。",
    "{api} answers again.": "{api} がまた応答しました。",
    # The first sentence
    "{count} servers": "{count} 台のサーバー",
    "{count} others": "ほか {count} 台",
    "{who}; the chain is broken at {broken}.": "{who}：つながりが切れています：{broken}。",
    "{who}: every chain holds, from the Deployment to the EC2 instance.": (
        "{who}：DeploymentからEC2インスタンスまで、すべてつながっています。"
    ),
    "{who}: the chain holds, from Pod {pod} to the volume {volume} on the instance {instance}.": (
        "{who}：Pod {pod} からインスタンス {instance} のボリューム {volume} まで、つながっています。"
    ),
    # The view
    "storage-lab: reading the stack": "storage-lab：スタックを読み取っています",
    "asking Kubernetes": "Kubernetesに尋ねています",
    "following Kubernetes and EC2": "KubernetesとEC2を見ています",
    "following Kubernetes; EC2 is slow, and is shown as of {time}": (
        "Kubernetesを見ています。EC2の応答が遅く、{time} の状態です"
    ),
    "What happened": "できごと",
    "State": "状態",
    "Changed": "変化",
    "the chain holds": "つながっています",
    "The cluster has not answered yet.": "クラスターからまだ応答がありません。",
    # The keys
    "Delete Pod": "Pod削除",
    "Crash": "異常終了",
    "Write": "書く",
    "Read": "読む",
    "Snapshot": "スナップショット",
    "Scale 0/1": "0台/1台",
    "Quit": "終了",
    "Delete the Pod?": "Podを削除しますか",
    "{server} has no Pod to delete.": "{server} には削除するPodがありません。",
    "The Deployment creates another Pod. Its claim, the PersistentVolume and the EBS volume stay.": (
        "Deploymentが別のPodを作ります。要求、PersistentVolume、EBSボリュームは残ります。"
    ),
    "Crash the container?": "コンテナを異常終了させますか",
    "The same Pod starts its container again. The container's own files are lost, the volume's stay.": (
        "同じPodがコンテナをもう一度起動します。コンテナの中のファイルは消え、ボリュームのファイルは残ります。"
    ),
    "Write a line": "1行書く",
    "The line has the time and the Pod's name. The next Pod finds it in {file}, on the volume.": (
        "時刻とPodの名前を書きます。{file} はボリュームの上にあるので、次のPodも読めます。"
    ),
    "Read the lines": "書いた行を読む",
    "Lines of Pods that are gone show that the bytes outlive them.": (
        "もうないPodの行があれば、データがPodより長く残った証拠です。"
    ),
    "Take a snapshot": "スナップショットを取る",
    "EC2 copies the volume. The copy stays when the claim is deleted, and another claim can begin with it.": (
        "EC2がボリュームを写します。写しは要求を削除しても残り、別の要求の元にできます。"
    ),
    "The cluster has no VolumeSnapshotClass for EBS volumes.": (
        "クラスターにEBSボリューム用のVolumeSnapshotClassがありません。"
    ),
    "{server} has no claim to copy.": "{server} には写す要求がありません。",
    "Scale to zero?": "0台にしますか",
    "Nobody serves until it is scaled back. The volume is detached from its node, and stays.": (
        "元に戻すまでサーバーはありません。ボリュームはノードから切り離されますが、残ります。"
    ),
    "Scale back to one": "1台に戻す",
    "A new Pod is created, and the volume is attached to its node.": (
        "新しいPodが作られ、ボリュームはそのPodのノードに接続されます。"
    ),
    "The Deployment {server} does not exist: run pulumi up.": (
        "Deployment {server} がありません。pulumi upを実行してください。"
    ),
    "{server} has no Pod in which a command could run.": "{server} にはコマンドを実行できるPodがありません。",
    "y  do it": "y  実行",
    "Enter  do it": "Enter  実行",
    "{run}    c  copy the command    Esc  leave it": "{run}    c  コマンドをコピー    Esc  やめる",
    "To type it yourself, first: {preparation}": "自分で入力するなら、先に：{preparation}",
    "The command is in the clipboard, if this terminal allows that.": (
        "コマンドをクリップボードに入れました（端末が許していれば）。"
    ),
}
